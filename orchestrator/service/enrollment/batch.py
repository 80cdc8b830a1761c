"""One transaction over a batch of customers: lock, then read, then fold, then save; commit or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.clock import Instants
from orchestrator.core.customer_state import Work
from orchestrator.service.enrollment.apply_events import Fold
from orchestrator.service.ports import Store, Transaction

Claim = Callable[[Transaction, Instants], Sequence[int]]
Folding = Callable[[Fold, Work], None]
After = Callable[[Transaction, Sequence[Work], Fold], None]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every service stands on: the store, and who carries which channel."""

    store: Store
    provider_of: Callable[[str], str]


def in_batch(
    ground: Ground,
    claiming: Claim,
    folding: Folding,
    *,
    starting: Sequence[str] = (),
    after: After | None = None,
    deaths: Mapping[int, int] | None = None,
) -> list[Work]:
    """Claim customers, fold each of them with ``folding``, save all. ``after`` runs before the commit.

    ``claiming`` locks and answers ids; every read that decides comes in a later statement. With ``deaths``, how often
    a process died with one of them in hand, the batch is one that workers repeat: it is noted before it is decided.
    """
    with ground.store.begin() as transaction:
        instants = transaction.instants()
        ids = claiming(transaction, instants)
        if not ids:
            return []
        if deaths is not None:
            ground.store.attempt(ids, instants.machine, deaths=deaths)
        instants = transaction.instants()  # again: what a waiting lock let pass happened before us
        works, catalogue = transaction.lay_out(ids, instants.business, starting=starting)
        fold = Fold(
            catalogue=catalogue,
            provider_of=ground.provider_of,
            now=instants.business,
            machine=instants.machine,
        )
        for work in works:
            folding(fold, work)
        transaction.save(works, instants.business)
        if after is not None:
            after(transaction, works, fold)
        if deaths is not None:
            transaction.done()
        return works


def alone(customer_id: int) -> Claim:
    """Take one customer, waiting for her lock."""
    return lambda transaction, _: transaction.lock([customer_id])


def these(ids: Sequence[int]) -> Claim:
    """Take exactly these customers, waiting for their locks in id order."""
    return lambda transaction, _: transaction.lock(ids)
