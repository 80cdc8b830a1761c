"""What the services ask of the store, room by room. :mod:`orchestrator.bootstrap` says who implements it.

A :class:`Transaction` is everything between begin and commit. The order inside is the caller's duty and a law: first
one of the locking verbs, then :meth:`Transaction.load_customers` in a later statement, then :meth:`Transaction.save`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from orchestrator.clock import Instants
from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import CustomerState
from orchestrator.records.consent import Consent, ConsentEntry
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.drain import InterruptedCustomer
from orchestrator.records.erasure import SentSummary
from orchestrator.service.ports.consent import SnoozeStore
from orchestrator.service.ports.enrollment import EnrollmentStore
from orchestrator.service.ports.intake import CustomerStore, FeedStore, InboxStore, MessageStore
from orchestrator.service.ports.operations import ClockStore, HistoryStore, ParkingStore, PlaybookStore


class Transaction(Protocol):
    """The store between begin and commit. An error inside leaves nothing behind."""

    def catalogue(self, *, at_once: bool = False) -> Catalogue:
        """The definitions as committed half a second ago at most, or now."""
        ...

    def instants(self) -> Instants:
        """Business and machine time."""
        ...

    @property
    def clock(self) -> ClockStore: ...
    @property
    def customers(self) -> CustomerStore: ...
    @property
    def enrollments(self) -> EnrollmentStore: ...
    @property
    def feed(self) -> FeedStore: ...
    @property
    def history(self) -> HistoryStore: ...
    @property
    def inbox(self) -> InboxStore: ...
    @property
    def messages(self) -> MessageStore: ...
    @property
    def parking(self) -> ParkingStore: ...
    @property
    def playbooks(self) -> PlaybookStore: ...
    @property
    def snoozes(self) -> SnoozeStore: ...

    # --- who is taken -----------------------------------------------------------------------------------------------

    def claim_customers(self, *, now: datetime, limit: int) -> list[int]:
        """Lock customers with due timers or a filled inbox, passing over those held elsewhere; ids in order."""
        ...

    def count_messages(
        self, *, now: datetime, machine: datetime, providers: Sequence[str], limit: int
    ) -> dict[str, int]:
        """How many messages are due at each of these providers, counting to ``limit``; locks nobody."""
        ...

    def claim_messages(
        self, *, now: datetime, machine: datetime, rooms: Mapping[str, int], limit: int
    ) -> list[int]:
        """Lock customers with messages due at providers that have room, passing over those held elsewhere; ids in
        order. A provider with little room and much to do leaves the others theirs."""
        ...

    def lock(self, ids: Collection[int]) -> list[int]:
        """Lock these customers in one statement in id order, waiting; the ids that exist."""
        ...

    def overdue(self, *, before: datetime, limit: int) -> list[int]:
        """Customers whose work has waited since ``before``; locks nobody."""
        ...

    def done(self) -> None:
        """With this commit nobody is in hand: see :meth:`Store.attempt`."""
        ...

    def take_interrupted(self, *, before: datetime) -> Sequence[InterruptedCustomer]:
        """Whom processes left behind that were last heard of before ``before`` (machine time); given out once."""
        ...

    # --- a batch ----------------------------------------------------------------------------------------------------

    def load_customers(
        self, ids: Sequence[int], now: datetime, *, starting: Sequence[str] = ()
    ) -> tuple[list[CustomerState], Catalogue]:
        """Read everything about these locked customers, in order, and the definitions they walk by."""
        ...

    def save(self, customers: Sequence[CustomerState], now: datetime) -> None:
        """Write what changed; new rows get their ids."""
        ...

    def show(self, shown: Sequence[LocalCopy], now: datetime) -> None: ...
    def append_consents(self, rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
        """Append ledger rows; the (customer, source id) pairs that were new."""
        ...

    def park(self, customer_id: int, *, reason: str, detail: str, now: datetime) -> None: ...

    def consents(self, customer_id: int, now: datetime) -> list[Consent]:
        """The present state at ``now``: what is over gives way to what stood before."""
        ...

    def consent_history(self, customer_id: int) -> list[ConsentEntry]:
        """Every ledger row, in the order in which they were said."""
        ...

    def expire_consents(self, now: datetime, *, limit: int) -> int:
        """Lock and write down up to ``limit`` grants whose time is over; how many."""
        ...

    def hashed(self, value: str) -> str:
        """The keyed hash of an address, as ledger rows and tombstones hold it."""
        ...

    def handed_to(self, customer_id: int) -> Sequence[SentSummary]:
        """By channel and provider: what was handed over about a person, with the ids the providers gave."""
        ...

    def addresses_of(self, customer_id: int) -> dict[str, str]:
        """Channel to address."""
        ...

    def lock_for_erasure(self, customer_id: int) -> list[int]:
        """The strongest lock. Raises NotFound."""
        ...

    def identities_of(self, customer_id: int) -> tuple[str, ...]:
        """The key and the addresses of a customer: what must be hashed before it is blanked."""
        ...

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        """Blank everything personal; keyed hashes of ``identities`` stay."""
        ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed on leaving, rolled back on an error."""
        ...

    def attempt(self, ids: Sequence[int], machine: datetime, *, crash_count: Mapping[int, int]) -> None:
        """Commit, beside the open transaction, whom this thread has in hand: all that is left of it if it is killed."""
        ...

    def next_due(self, waits: Mapping[str, float]) -> datetime | None:
        """When the earliest timer, message or inbox row is due; ``waits`` are seconds until a provider may be asked."""
        ...
