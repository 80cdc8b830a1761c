"""Takes up whom a process had in hand when it was killed: each alone, and parked when a second process died at it.

An exception is caught and its customer parked at once. This is for what nobody catches: a crash of the interpreter,
memory that runs out, an operator's ``kill -9``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit

UNHEARD_FOR = timedelta(seconds=10)  # machine time: longer than a batch is at work without holding a lock
MOST_CRASHES = 2


class Alone(Protocol):
    def alone(self, customer_id: int, *, crash_count: int) -> None: ...


def take_interrupted(services: ServiceContext, delivery: Alone) -> int:
    """Whoever was in hand of a process that is gone; how many. What a stopped process holds is free from here on."""
    with services.store.begin() as transaction:
        instants = transaction.instants()
        transaction.claims.end_silent()
        interrupted = transaction.batches.take_interrupted(before=instants.machine - UNHEARD_FOR)
        for interrupted_customer in interrupted:
            if interrupted_customer.crash_count >= MOST_CRASHES:
                transaction.parking.park(
                    interrupted_customer.customer_id,
                    reason="process_died",
                    detail=f"{interrupted_customer.crash_count} processes were killed at work on this customer",
                    now=instants.business,
                )
                emit("customer.parked", customer_id=interrupted_customer.customer_id, error="process_died")
    for interrupted_customer in interrupted:
        if interrupted_customer.crash_count < MOST_CRASHES:
            delivery.alone(interrupted_customer.customer_id, crash_count=interrupted_customer.crash_count)
    return len(interrupted)
