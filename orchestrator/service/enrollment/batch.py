"""One transaction over a batch of customers: lock, then read, then fold, then save; commit or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.clock import Instants
from orchestrator.core.customer_state import CustomerState
from orchestrator.service.enrollment.apply_events import Batch
from orchestrator.service.ports import Store, Transaction
from orchestrator.telemetry import emit

Claim = Callable[[Transaction, Instants], Sequence[int]]
Folding = Callable[[Batch, CustomerState], None]
After = Callable[[Transaction, Sequence[CustomerState], Batch], None]


@dataclass(frozen=True, kw_only=True)
class ServiceContext:
    """What every service stands on: the store, and who carries which channel."""

    store: Store
    provider_of: Callable[[str], str]


def in_batch(
    services: ServiceContext,
    claiming: Claim,
    apply: Folding,
    *,
    starting: Sequence[str] = (),
    after: After | None = None,
    crash_count: Mapping[int, int] | None = None,
) -> list[CustomerState]:
    """Claim customers, fold each of them with ``apply``, save all. ``after`` runs before the commit.

    ``claiming`` locks and answers ids; every read that decides comes in a later statement. With ``crash_count``, how
    often a process died with one of them in hand, the batch is one that workers repeat: it is noted before it is
    decided.
    """
    with services.store.begin() as transaction:
        instants = transaction.instants()
        ids = claiming(transaction, instants)
        if not ids:
            return []
        if crash_count is not None:
            services.store.attempt(ids, instants.machine, crash_count=crash_count)
        instants = transaction.instants()  # again: what a waiting lock let pass happened before us
        customers, catalogue = transaction.load_customers(ids, instants.business, starting=starting)
        batch = Batch(
            catalogue=catalogue,
            provider_of=services.provider_of,
            now=instants.business,
            machine=instants.machine,
        )
        for customer in customers:
            apply(batch, customer)
        transaction.save(customers, instants.business)
        if after is not None:
            after(transaction, customers, batch)
        if crash_count is not None:
            transaction.done()
    _tell_starts(customers)
    return customers


def _tell_starts(customers: Sequence[CustomerState]) -> None:
    """What was begun and refused, told when it is committed."""
    for customer in customers:
        for refusal in customer.refusals:
            emit(
                "enrollment.refused",
                customer_id=customer.customer_id,
                playbook=refusal["playbook"],
                reason=refusal["reason"],
            )
        for work in customer.enrollments.values():
            if work.new:
                emit(
                    "enrollment.started",
                    customer_id=customer.customer_id,
                    enrollment_id=work.enrollment.enrollment_id,
                    playbook=work.enrollment.playbook,
                    version=work.published.version,
                )


def alone(customer_id: int) -> Claim:
    """Take one customer, waiting for her lock."""
    return lambda transaction, _: transaction.lock([customer_id])


def these(ids: Sequence[int]) -> Claim:
    """Take exactly these customers, waiting for their locks in id order."""
    return lambda transaction, _: transaction.lock(ids)
