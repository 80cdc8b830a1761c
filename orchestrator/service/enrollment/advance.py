"""Advances enrollments: everything due by time or by something that came in, a batch of customers per transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from orchestrator.clock import monotonic
from orchestrator.core.customer_state import CustomerState
from orchestrator.errors import Contended, Unavailable
from orchestrator.records.drain import Drained
from orchestrator.service.context import Claim, ServiceContext, alone
from orchestrator.service.enrollment.apply_events import apply_events
from orchestrator.telemetry import emit

SKIPPED_FOR = timedelta(seconds=10)  # machine time
NO_CRASHES: Mapping[int, int] = MappingProxyType({})


def advance(services: ServiceContext, *, limit: int) -> Drained:
    """One batch of due enrollments.

    A batch that fails is repeated one customer a transaction; one that fails alone as well is parked with the reason,
    and the others go on. An outage of the database (:class:`Unavailable`) is raised: it is nobody's fault.
    """
    started = monotonic()
    claim = Claim(
        lock=lambda transaction, instants: transaction.claims.customers(now=instants.business, limit=limit)
    )
    try:
        customers = _advance(services, claim)
    except Unavailable:
        raise
    except Exception as error:
        if not claim.ids:
            raise
        emit("batch.failed", task="advance", customers=len(claim.ids), error=type(error).__name__)
        _one_by_one(services, claim.ids)
        return Drained(customers=len(claim.ids), more=True)
    if customers:
        emit(
            "batch.advanced",
            customers=len(customers),
            enrollments=sum(work.changed for customer in customers for work in customer.enrollments.values()),
            seconds=round(monotonic() - started, 3),
        )
    return Drained(customers=len(customers), more=len(customers) >= limit)


def take_overdue(services: ServiceContext, *, limit: int = 50) -> int:
    """Customers whom batches kept passing over because their row was locked: each alone, with a lock that waits."""
    with services.store.begin() as transaction:
        instants = transaction.instants()
        ids = transaction.claims.overdue(before=instants.business - SKIPPED_FOR * instants.rate, limit=limit)
    for customer_id in ids:
        emit("customer.skipped", customer_id=customer_id)
    _one_by_one(services, ids)
    return len(ids)


def park(services: ServiceContext, customer_id: int, error: Exception) -> None:
    """Set a customer aside, with the reason, until somebody has looked."""
    with services.store.begin() as transaction:
        transaction.parking.park(
            customer_id,
            reason=type(error).__name__,
            detail=str(error),
            now=transaction.instants().business,
        )
    emit("customer.parked", customer_id=customer_id, error=type(error).__name__)


def _advance(services: ServiceContext, claim: Claim) -> Sequence[CustomerState]:
    with services.batch(claim, crash_count=NO_CRASHES) as batch:
        for customer in batch:
            apply_events(customer, batch)
        batch.save()
    return batch.customers


def _one_by_one(services: ServiceContext, ids: Sequence[int]) -> None:
    """Each customer in a transaction of their own; whoever fails is parked, and whose lock does not come waits."""
    for customer_id in ids:
        try:
            _advance(services, alone(customer_id))
        except Contended:
            continue  # somebody is at work on this customer; the others need not wait for it
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            park(services, customer_id, error)
