"""Takes up whom a process had in hand when it was killed: each alone, and parked when a second process died of her.

An exception is caught and its customer parked at once. This is for what nobody catches: a crash of the interpreter,
memory that runs out, an operator's ``kill -9``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from orchestrator.service.enrollment.batch import Ground
from orchestrator.telemetry import emit

UNHEARD_FOR = timedelta(seconds=10)  # machine time: longer than a batch is at work without holding a lock
MOST_DEATHS = 2


class Alone(Protocol):
    def alone(self, customer_id: int, *, deaths: int) -> None: ...


def take_strays(ground: Ground, delivery: Alone) -> int:
    """Whoever was in hand of a process that is gone; how many."""
    with ground.store.begin() as transaction:
        instants = transaction.instants()
        strays = transaction.take_strays(before=instants.machine - UNHEARD_FOR)
        for stray in strays:
            if stray.deaths >= MOST_DEATHS:
                transaction.park(
                    stray.customer_id,
                    reason="process_died",
                    detail=f"{stray.deaths} processes were killed while they worked on this customer",
                    now=instants.business,
                )
                emit("customer.parked", customer_id=stray.customer_id, error="process_died")
    for stray in strays:
        if stray.deaths < MOST_DEATHS:
            delivery.alone(stray.customer_id, deaths=stray.deaths)
    return len(strays)
