"""What every service stands on, and one transaction over a batch of customers: lock, then read, then decide, then save.

::

    with services.batch(alone(customer_id)) as batch:
        for customer in batch:
            apply_inbox(customer, batch)
        batch.save()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import TypeVar

from orchestrator.clock import Instants, monotonic
from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import CustomerState
from orchestrator.errors import StoreError
from orchestrator.metrics import locks_measured
from orchestrator.service.claiming import Claiming
from orchestrator.service.ports import Store, Transaction
from orchestrator.telemetry import emit

Result = TypeVar("Result")


@dataclass(kw_only=True, slots=True)
class Claim:
    """Who is to be taken, and once they are locked who was: whoever's batch fails reads here whom it was about."""

    lock: Callable[[Transaction, Instants], Sequence[int]]
    ids: Sequence[int] = ()
    failed: dict[int, Exception] = field(default_factory=dict)
    """The customers of the batch whose fold raised: they are as they were, and the others are saved."""


def alone(customer_id: int, *, wait: timedelta | None = None) -> Claim:
    """Take one customer, waiting for the lock; not longer than ``wait`` where it is given."""
    return these([customer_id], wait=wait)


def these(ids: Sequence[int], *, wait: timedelta | None = None) -> Claim:
    """Take exactly these customers, waiting for their locks in id order."""
    return Claim(lock=lambda transaction, _: transaction.claims.these(ids, wait=wait), ids=ids)


def those_free_of(ids: Sequence[int]) -> Claim:
    """Take those of these customers whom nobody holds."""
    return Claim(lock=lambda transaction, _: transaction.claims.free(ids), ids=ids)


@dataclass(kw_only=True, slots=True)
class Batch:
    """Customers whose locks one transaction holds, as they were read after it took them, and what decides about them.

    ``now`` is business time, ``machine`` machine time; both were read after the locks. Changes are made to the
    customers in memory and written by :meth:`save`.
    """

    transaction: Transaction
    customers: Sequence[CustomerState]
    catalogue: Catalogue
    provider_of: Callable[[str], str]
    now: datetime
    machine: datetime
    failed: dict[int, Exception]
    ends_at: float = inf  # monotonic seconds
    reached: int = 0
    """Customers whose turn the last :meth:`fold` came to, failed ones included."""

    def __iter__(self) -> Iterator[CustomerState]:
        return iter(self.customers)

    def __len__(self) -> int:
        return len(self.customers)

    def one(self) -> CustomerState:
        """The customer of a batch of one."""
        (customer,) = self.customers
        return customer

    def fold(self, apply: Callable[[CustomerState], Result], *, in_time: bool = True) -> list[Result]:
        """What ``apply`` answers for each customer in turn, until the time budget is used up: who is not reached keeps
        their place. One for whom it raises is not saved and costs no other.

        The claim names them in ``failed``, and whoever asked for the batch sets them aside.
        """
        answers: list[Result] = []
        kept: list[CustomerState] = []
        self.reached = 0
        for customer in self.customers:
            self.reached += 1
            try:
                answers.append(apply(customer))
            except StoreError:
                raise  # the transaction is spoilt for all of them
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are saved
                self.failed[customer.customer_id] = error
            else:
                kept.append(customer)
            if in_time and self.is_over():
                break
        self.customers = kept
        return answers

    def is_over(self) -> bool:
        """Whether the time budget is used up: others wait for the locks."""
        return monotonic() >= self.ends_at

    def save(self) -> None:
        """Write what changed, in a number of statements that does not grow with the batch."""
        if self.customers:
            self.transaction.batches.save(self.customers, self.now)


@dataclass(frozen=True, kw_only=True)
class ServiceContext:
    """The store, which provider carries which channel, and whether this process may take customers.

    ``budget`` is how many seconds a batch that can be cut short may hold its locks before it is saved, and at least
    half of it is for its turns, however long reading took: else a slow database would be asked for ever more batches
    of one. None: as long as it takes, which is for rehearsals, where the same must come out every time.
    """

    store: Store
    provider_of: Callable[[str], str]
    claiming: Claiming = field(default_factory=Claiming)
    budget: float | None = None

    @contextmanager
    def batch(
        self, claim: Claim, *, starting: Sequence[str] = (), crash_count: Mapping[int, int] | None = None
    ) -> Iterator[Batch]:
        """The customers of ``claim`` in one transaction: committed on leaving, rolled back on an error.

        Every read that decides comes in a later statement than the lock. ``starting`` names playbooks about to be
        started. With ``crash_count``, how often a process died with one of them in hand, the batch is one that workers
        repeat: who is in it is committed beside it before anything is decided.
        """
        try:
            with locks_measured() as locked, self.store.begin() as transaction:
                instants = transaction.instants()
                claim.ids = claim.lock(transaction, instants)
                ends_at = inf if self.budget is None else monotonic() + self.budget
                if not claim.ids:
                    yield self._of(transaction, claim, (), Catalogue(), instants=instants, ends_at=ends_at)
                    return
                locked()
                if crash_count is not None:
                    self.store.attempt(claim.ids, instants.machine, crash_count=crash_count)
                instants = transaction.instants()  # again: what a waiting lock let pass happened before us
                customers, catalogue = transaction.batches.load(
                    claim.ids, instants.business, starting=starting
                )
                if self.budget is not None:
                    ends_at = max(ends_at, monotonic() + self.budget / 2)
                batch = self._of(transaction, claim, customers, catalogue, instants=instants, ends_at=ends_at)
                yield batch
                if crash_count is not None:
                    transaction.batches.done()
        except Exception:
            if crash_count is not None:
                self.store.attempt_failed()
            raise
        _tell_starts(batch.customers)

    def _of(
        self,
        transaction: Transaction,
        claim: Claim,
        customers: Sequence[CustomerState],
        catalogue: Catalogue,
        *,
        instants: Instants,
        ends_at: float,
    ) -> Batch:
        return Batch(
            transaction=transaction,
            customers=customers,
            catalogue=catalogue,
            provider_of=self.provider_of,
            now=instants.business,
            machine=instants.machine,
            failed=claim.failed,
            ends_at=ends_at,
        )


def _tell_starts(customers: Sequence[CustomerState]) -> None:
    """What was begun and refused, told when it is committed."""
    for customer in customers:
        for refusal in customer.refusals:
            emit(
                "enrollment.refused",
                customer_id=customer.customer_id,
                playbook=refusal.playbook,
                reason=refusal.reason,
            )
        for waiting in customer.waiting.values():
            if waiting.unreadable is not None:
                emit(
                    "enrollment.parked",
                    customer_id=customer.customer_id,
                    enrollment_id=waiting.enrollment_id,
                    error="unreadable",
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
