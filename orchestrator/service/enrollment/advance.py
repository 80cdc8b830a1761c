"""Advances walks: everything due by time or by something that came in, a batch of customers per transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from orchestrator.clock import Instants, monotonic
from orchestrator.core.customer_state import CustomerState
from orchestrator.errors import Unavailable
from orchestrator.records.drain import Drained
from orchestrator.service.enrollment.apply_events import Batch
from orchestrator.service.enrollment.batch import ServiceContext, alone, in_batch
from orchestrator.service.ports import Transaction
from orchestrator.telemetry import emit

SKIPPED_FOR = timedelta(seconds=10)  # machine time
NO_CRASHES: Mapping[int, int] = MappingProxyType({})


def apply_due_events(batch: Batch, customer: CustomerState) -> None:
    """The items of one customer that need no provider: her inbox, then her timers."""
    batch.inbox(customer)
    batch.timers(customer)


def advance(services: ServiceContext, *, limit: int) -> Drained:
    """One batch of due walks.

    A batch that fails is repeated one customer a transaction; one that fails alone as well is parked with the reason,
    and the others go on. An outage of the database (:class:`Unavailable`) is raised: it is nobody's fault.
    """
    started = monotonic()
    claimed: list[int] = []

    def claiming(transaction: Transaction, instants: Instants) -> list[int]:
        claimed[:] = transaction.claim_customers(now=instants.business, limit=limit)
        return claimed

    try:
        customers = in_batch(services, claiming, apply_due_events, crash_count=NO_CRASHES)
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        emit("batch.failed", task="advance", customers=len(claimed), error=type(error).__name__)
        one_by_one(services, claimed, apply_due_events)
        return Drained(customers=len(claimed), more=True)
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
        ids = transaction.overdue(before=instants.business - SKIPPED_FOR * instants.rate, limit=limit)
    for customer_id in ids:
        emit("customer.skipped", customer_id=customer_id)
    one_by_one(services, ids, apply_due_events)
    return len(ids)


def one_by_one(
    services: ServiceContext,
    ids: Sequence[int],
    apply: Callable[[Batch, CustomerState], None],
    *,
    crash_count: Mapping[int, int] = NO_CRASHES,
) -> list[int]:
    """Each customer in a transaction of her own; whoever fails is parked and in the answer."""
    failed: list[int] = []
    for customer_id in list(ids):
        try:
            in_batch(services, alone(customer_id), apply, crash_count=crash_count)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            park(services, customer_id, error)
            failed.append(customer_id)
    return failed


def park(services: ServiceContext, customer_id: int, error: Exception) -> None:
    """Set a customer aside, with the reason, until somebody has looked."""
    with services.store.begin() as transaction:
        transaction.park(
            customer_id,
            reason=type(error).__name__,
            detail=str(error),
            now=transaction.instants().business,
        )
    emit("customer.parked", customer_id=customer_id, error=type(error).__name__)
