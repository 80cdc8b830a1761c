"""Advances walks: everything due by time or by something that came in, a batch of customers per transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from orchestrator.clock import Instants
from orchestrator.core.customer_state import Work
from orchestrator.errors import Unavailable
from orchestrator.service.enrollment.apply_events import Fold
from orchestrator.service.enrollment.batch import Ground, alone, in_batch
from orchestrator.service.ports import Transaction
from orchestrator.service.values import Drained
from orchestrator.telemetry import emit

SKIPPED_FOR = timedelta(seconds=10)  # machine time
NONE_DIED: Mapping[int, int] = MappingProxyType({})


def fold_walks(fold: Fold, work: Work) -> None:
    """The items of one customer that need no provider: her inbox, then her timers."""
    fold.inbox(work)
    fold.timers(work)


def advance(ground: Ground, *, limit: int) -> Drained:
    """One batch of due walks.

    A batch that fails is repeated one customer a transaction; one that fails alone as well is parked with the reason,
    and the others go on. An outage of the database (:class:`Unavailable`) is raised: it is nobody's fault.
    """
    claimed: list[int] = []

    def claiming(transaction: Transaction, instants: Instants) -> list[int]:
        claimed[:] = transaction.claim_walks(now=instants.business, limit=limit)
        return claimed

    try:
        works = in_batch(ground, claiming, fold_walks, deaths=NONE_DIED)
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        emit("batch.failed", task="advance", customers=len(claimed), error=type(error).__name__)
        one_by_one(ground, claimed, fold_walks)
        return Drained(customers=len(claimed), more=True)
    return Drained(customers=len(works), more=len(works) >= limit)


def take_overdue(ground: Ground, *, limit: int = 50) -> int:
    """Customers whom batches kept passing over because their row was locked: each alone, with a lock that waits."""
    with ground.store.begin() as transaction:
        instants = transaction.instants()
        ids = transaction.overdue(before=instants.business - SKIPPED_FOR * instants.rate, limit=limit)
    one_by_one(ground, ids, fold_walks)
    return len(ids)


def one_by_one(
    ground: Ground,
    ids: Sequence[int],
    folding: Callable[[Fold, Work], None],
    *,
    deaths: Mapping[int, int] = NONE_DIED,
) -> list[int]:
    """Each customer in a transaction of her own; whoever fails is parked and in the answer."""
    failed: list[int] = []
    for customer_id in list(ids):
        try:
            in_batch(ground, alone(customer_id), folding, deaths=deaths)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            park(ground, customer_id, error)
            failed.append(customer_id)
    return failed


def park(ground: Ground, customer_id: int, error: Exception) -> None:
    """Set a customer aside, with the reason, until somebody has looked."""
    with ground.store.begin() as transaction:
        transaction.park(
            customer_id,
            reason=type(error).__name__,
            detail=str(error),
            now=transaction.instants().business,
        )
    emit("customer.parked", customer_id=customer_id, error=type(error).__name__)
