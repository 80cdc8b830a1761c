"""What the services ask of the store: one transaction's verbs. :mod:`orchestrator.bootstrap` says who implements them.

A :class:`Transaction` is everything between begin and commit. The order inside is the caller's duty and a law: first
one of the locking verbs, then :meth:`Transaction.lay_out` in a later statement, then :meth:`Transaction.save`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from orchestrator.clock import Instants
from orchestrator.core.catalogue import Catalogue, LookBack
from orchestrator.core.customer_state import CustomerState
from orchestrator.core.feed_visibility import Guards
from orchestrator.records.consent import Consent, ConsentEntry
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.drain import InterruptedCustomer
from orchestrator.records.enrollment import Enrollment
from orchestrator.records.erasure import SentSummary
from orchestrator.records.feed import FeedItem
from orchestrator.records.intake import InboxItem
from orchestrator.records.playbook_version import PlaybookVersion


class Transaction(Protocol):
    """The store between begin and commit. An error inside leaves nothing behind."""

    def catalogue(self, *, at_once: bool = False) -> Catalogue:
        """The definitions as committed half a second ago at most, or now."""
        ...

    def instants(self) -> Instants:
        """Business and machine time."""
        ...

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
        """Write what the fold changed; new rows get their ids."""
        ...

    def show(self, shown: Sequence[LocalCopy], now: datetime) -> None: ...
    def append_consents(self, rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
        """Append ledger rows; the (customer, source id) pairs that were new."""
        ...

    def park(self, customer_id: int, *, reason: str, detail: str, now: datetime) -> None: ...

    # --- the in-app feed --------------------------------------------------------------------------------------------

    def feed_items(self, customer_id: int, now: datetime, *, most: int) -> list[FeedItem]:
        """What is in the feed, newest first; whether it may be seen is asked with :meth:`guards`."""
        ...

    def guards(
        self, customer_id: int, now: datetime, catalogue: Catalogue, *, look_back: LookBack | None
    ) -> Guards:
        """What may hide it. ``look_back``: the history that conditions need; None: no condition is asked."""
        ...

    # --- what comes from outside ------------------------------------------------------------------------------------

    def ensure_customers(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        """The id of each key, made where new; keys of erased people are not in the answer."""
        ...

    def forgotten(self, identities: Collection[str]) -> set[str]:
        """Which of these keys and addresses belong to people who were erased."""
        ...

    def ensure_accounts(self, keys: Collection[str], now: datetime) -> dict[str, int]: ...
    def find_customer(self, key: str) -> int:
        """Raises NotFound."""
        ...

    def members(self, account_keys: Collection[str]) -> dict[str, list[int]]: ...
    def colleagues(self, customer_ids: Collection[int]) -> dict[int, list[int]]:
        """The other members of each customer's account."""
        ...

    def merge_account(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Merge traits into accounts' attributes; None removes."""
        ...

    def by_address(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
        """Everyone reached at each (channel, address)."""
        ...

    def by_provider_id(self, provider_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """(customer, message) of each id a provider gave, also of ids it lengthened after a dot."""
        ...

    def last_messages(self, customer_ids: Collection[int], channel: str) -> dict[int, int]:
        """The latest message of each customer on a channel: what a reply without a reference answers."""
        ...

    def append_inbox(self, arrivals: Sequence[InboxItem], now: datetime) -> int:
        """Append what was not seen before, by source id; how many were new."""
        ...

    def started_by_key(self, customer_id: int, playbook: str, key: str) -> int | None:
        """The enrollment an idempotency key led to before."""
        ...

    def enrollment(self, customer_id: int, enrollment_id: int) -> Enrollment:
        """One stored run as its callers see it."""
        ...

    def key_of(self, customer_id: int) -> str:
        """The product's key. Raises NotFound."""
        ...

    def has_message(self, customer_id: int, message_id: int) -> bool: ...
    def locale_of(self, customer_id: int) -> str | None: ...
    def region_of(self, customer_id: int) -> str | None: ...

    def publish(self, version: PlaybookVersion, now: datetime) -> bool:
        """Store a version. True if it is new; Conflict for other content under a known version."""
        ...

    def publish_account(self, definition: Mapping[str, Any], now: datetime) -> None:
        """Make this the account's policy; if it is another one, whatever waits is asked by it."""
        ...

    def begin_snooze(self, customer_id: int, *, starts_at: datetime, ends_at: datetime) -> None:
        """A cooldown of everything that no run set."""
        ...

    def end_snooze(self, customer_id: int, now: datetime) -> None:
        """Lift the customer's snoozes; cooldowns that enrollments set stay."""
        ...

    def snoozed_until(self, customer_id: int, now: datetime) -> datetime | None: ...
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

    def lock_for_erasure(self, customer_id: int) -> tuple[str, tuple[str, ...]]:
        """The strongest lock; the key and the addresses that must be hashed."""
        ...

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        """Blank everything personal; keyed hashes of ``identities`` stay."""
        ...

    def due_once_a_day(self, chore: str, now: datetime) -> bool:
        """Whether the chore has not been begun for a day; whoever hears yes does it."""
        ...

    def prune(self, table: str, *, before: datetime, block: int) -> tuple[int, int | None]:
        """Delete what is older in one stretch of a table: how many, and where the next begins."""
        ...

    def customers_after(self, customer_id: int, *, limit: int) -> list[int]:
        """The next customers in id order, for a scan over the base; erased ones are left out."""
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
