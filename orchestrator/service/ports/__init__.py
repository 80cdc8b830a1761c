"""What the services ask of the store, room by room. :mod:`orchestrator.bootstrap` says who implements it.

A :class:`Transaction` is everything between begin and commit. The order inside is the caller's duty and a law: first
one of the claims, then :meth:`BatchStore.load` in a later statement, then :meth:`BatchStore.save`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from orchestrator.clock import Instants
from orchestrator.core.catalogue import Catalogue
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.service.ports.batch import BatchStore, ClaimStore
from orchestrator.service.ports.consent import ConsentStore, SnoozeStore, WithdrawalStore
from orchestrator.service.ports.enrollment import EnrollmentStore
from orchestrator.service.ports.intake import (
    BaseScanStore,
    CustomerStore,
    FeedStore,
    InboxStore,
    MessageStore,
)
from orchestrator.service.ports.operations import (
    ClockStore,
    HistoryStore,
    MonitoringStore,
    ParkingStore,
    PlaybookStore,
)
from orchestrator.service.ports.privacy import ErasureStore
from orchestrator.service.ports.restore import RestoreStore


class Transaction(Protocol):
    """The store between begin and commit. An error inside leaves nothing behind."""

    def catalogue(self, *, at_once: bool = False) -> Catalogue:
        """The definitions as committed half a second ago at most, or now."""
        ...

    def instants(self) -> Instants:
        """Business and machine time."""
        ...

    def policy(self) -> AccountPolicy:
        """The account's policy as committed now, whatever may be wrong with the definitions beside it."""
        ...

    @property
    def base_scans(self) -> BaseScanStore: ...
    @property
    def batches(self) -> BatchStore: ...
    @property
    def claims(self) -> ClaimStore: ...
    @property
    def clock(self) -> ClockStore: ...
    @property
    def consents(self) -> ConsentStore: ...
    @property
    def customers(self) -> CustomerStore: ...
    @property
    def enrollments(self) -> EnrollmentStore: ...
    @property
    def erasure(self) -> ErasureStore: ...
    @property
    def feed(self) -> FeedStore: ...
    @property
    def history(self) -> HistoryStore: ...
    @property
    def inbox(self) -> InboxStore: ...
    @property
    def messages(self) -> MessageStore: ...
    @property
    def monitoring(self) -> MonitoringStore: ...
    @property
    def parking(self) -> ParkingStore: ...
    @property
    def playbooks(self) -> PlaybookStore: ...
    @property
    def restores(self) -> RestoreStore: ...
    @property
    def snoozes(self) -> SnoozeStore: ...
    @property
    def withdrawals(self) -> WithdrawalStore: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed on leaving, rolled back on an error."""
        ...

    def attempt(self, ids: Sequence[int], machine: datetime, *, crash_count: Mapping[int, int]) -> None:
        """Commit, beside the open transaction, whom this thread has in hand: all that is left of it if it is killed."""
        ...

    def attempt_failed(self) -> None:
        """This thread has nobody in hand: it lives, and what it was about failed. Never raises; what cannot be
        written now is written with the next :meth:`BatchStore.take_interrupted` of this process."""
        ...

    def may_work(self) -> bool:
        """False while the database is a restored backup that nobody has dealt with."""
        ...

    def keep_log(self) -> None:
        """Write what the withdrawal log has missed, and once a minute a mark. Never raises for the log."""
        ...

    def newest_mark(self) -> int:
        """The highest count in the withdrawal log of this host; 0 without one."""
        ...

    def next_due(self, waits: Mapping[str, float]) -> datetime | None:
        """When the earliest timer, message or inbox row is due; ``waits`` are seconds until a provider may be asked."""
        ...
