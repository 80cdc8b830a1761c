"""Cares for customers whom batches pass over, because somebody else held their row whenever one looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit

SKIPPED_FOR = timedelta(seconds=10)  # machine time
WAIT = timedelta(
    milliseconds=100
)  # for the lock of one who was passed over: the sweep has others to look after


class TakeAlone(Protocol):
    def alone(self, customer_id: int, *, crash_count: int = 0, wait: timedelta | None = None) -> None:
        """Everything that is due of one customer, in a transaction of their own that waits for the lock."""
        ...


def take_overdue(services: ServiceContext, delivery: TakeAlone, *, limit: int = 10) -> int:
    """Each of them alone, with a lock that waits; how many there were."""
    with services.store.begin() as transaction:
        instants = transaction.instants()
        ids = transaction.claims.overdue(before=instants.business - SKIPPED_FOR * instants.rate, limit=limit)
    for customer_id in ids:
        emit("customer.skipped", customer_id=customer_id)
        delivery.alone(customer_id, wait=WAIT)
    return len(ids)
