"""Advances enrollments: everything due by time or by something that came in, a batch of customers per transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from orchestrator.clock import monotonic
from orchestrator.records.drain import Drained
from orchestrator.service.context import Claim, ServiceContext, alone
from orchestrator.service.enrollment.apply_events import apply_events
from orchestrator.service.enrollment.take_apart import take_apart
from orchestrator.telemetry import emit

SKIPPED_FOR = timedelta(seconds=10)  # machine time
WAIT = timedelta(
    milliseconds=100
)  # for the lock of one who was passed over: the sweep has others to look after
NO_CRASHES: Mapping[int, int] = MappingProxyType({})


def advance(services: ServiceContext, *, limit: int) -> Drained:
    """One batch of due enrollments; what of it fails is taken apart as :func:`take_apart` says.

    Raises Unavailable for an outage of the database: it is nobody's fault.
    """
    started = monotonic()
    claim = Claim(
        lock=lambda transaction, instants: transaction.claims.customers(now=instants.business, limit=limit)
    )
    moved = take_apart(services, claim, lambda part: _advance(services, part), task="advance")
    enrollments = sum(moved)
    if claim.ids:
        emit(
            "batch.advanced",
            customers=len(claim.ids),
            enrollments=enrollments,
            seconds=round(monotonic() - started, 3),
        )
    return Drained(customers=len(claim.ids), more=len(claim.ids) >= limit or bool(claim.failed))


def take_overdue(services: ServiceContext, *, limit: int = 10) -> int:
    """Customers whom batches kept passing over because their row was locked: each alone, with a lock that waits."""
    with services.store.begin() as transaction:
        instants = transaction.instants()
        ids = transaction.claims.overdue(before=instants.business - SKIPPED_FOR * instants.rate, limit=limit)
    for customer_id in ids:
        emit("customer.skipped", customer_id=customer_id)
        for _ in take_apart(
            services, alone(customer_id, wait=WAIT), lambda part: _advance(services, part), task="overdue"
        ):
            pass
    return len(ids)


def _advance(services: ServiceContext, claim: Claim) -> int:
    """How many enrollments were moved."""
    with services.batch(claim, crash_count=NO_CRASHES) as batch:
        batch.fold(lambda customer: apply_events(customer, batch))
        batch.save()
    return sum(work.changed for customer in batch for work in customer.enrollments.values())
