"""Business time for rehearsals: faster than the machine's, or going on from where a virtual clock ended."""

from __future__ import annotations

from datetime import datetime

from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit


def set_clock_rate(services: ServiceContext, rate: float) -> None:
    """Let business time pass ``rate`` times as fast from now on, in every process, without a jump."""
    with services.store.begin() as transaction:
        previous = transaction.clock.set_rate(rate)
    if previous != rate:
        emit("clock.changed", rate=rate, previous=previous)


def start_clock_at(services: ServiceContext, business: datetime) -> None:
    """Let the database's clock go on from ``business`` at rate 1, for processes that serve what was rehearsed.

    Leases and back-offs of the rehearsal were written in virtual machine time; they are over.
    """
    with services.store.begin() as transaction:
        transaction.clock.start_at(business)
