"""The store as the services see it: begin, the verbs of one transaction, commit.

Errors of the driver never leave here: an outage is :class:`Unavailable`, everything else :class:`StoreError`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from orchestrator.clock import Clock, Instants
from orchestrator.core.catalogue import Catalogue, LookBack
from orchestrator.core.customer_state import CustomerState
from orchestrator.core.feed_visibility import Guards
from orchestrator.errors import NotFound, StoreError, Unavailable
from orchestrator.records.consent import Consent, ConsentEntry
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.drain import InterruptedCustomer
from orchestrator.records.enrollment import Enrollment, Parked
from orchestrator.records.erasure import SentSummary
from orchestrator.records.feed import FeedItem
from orchestrator.records.intake import InboxItem
from orchestrator.records.playbook_version import PlaybookVersion
from orchestrator.store import (
    consents,
    cooldowns,
    customers,
    enrollments,
    erase,
    feed,
    inbox_append,
    parked,
    published,
    retention,
)
from orchestrator.store.batch import batches_in_hand, claim
from orchestrator.store.batch.build import build_customers, guards
from orchestrator.store.batch.definitions import CatalogueCache
from orchestrator.store.batch.save import save
from orchestrator.store.local_copies import show
from orchestrator.store.published import digest


@dataclass(frozen=True, kw_only=True)
class PostgresStore:
    """One per process. ``hash_key`` is the keyed hash that keeps erased people out."""

    database: Engine
    clock: Clock
    hash_key: Callable[[str], str]
    definitions: CatalogueCache = field(default_factory=CatalogueCache)

    def begin(self) -> AbstractContextManager[PostgresTransaction]:
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[PostgresTransaction]:
        with translated(), self.database.begin() as connection:
            yield PostgresTransaction(connection=connection, store=self)

    def attempt(self, ids: Sequence[int], machine: datetime, *, crash_count: Mapping[int, int]) -> None:
        with translated(), self.database.begin() as connection:
            batches_in_hand.mark(connection, ids, machine, crash_count)

    def next_due(self, waits: Mapping[str, float]) -> datetime | None:
        with translated(), self.database.begin() as connection:
            machine = self.clock.read(connection).machine
            shut = {provider: machine + timedelta(seconds=seconds) for provider, seconds in waits.items()}
            return claim.next_due(connection, shut)


@dataclass(frozen=True, kw_only=True)
class PostgresTransaction:
    """Every verb of :class:`orchestrator.service.ports.Transaction`, over one connection."""

    connection: Connection
    store: PostgresStore

    def catalogue(self, *, at_once: bool = False) -> Catalogue:
        return self.store.definitions.refresh(self.connection, at_once=at_once)

    def instants(self) -> Instants:
        return self.store.clock.read(self.connection)

    def claim_customers(self, *, now: datetime, limit: int) -> list[int]:
        return claim.claim_customers(self.connection, now=now, limit=limit)

    def count_messages(
        self, *, now: datetime, machine: datetime, providers: Sequence[str], limit: int
    ) -> dict[str, int]:
        return claim.count_messages(
            self.connection, now=now, machine=machine, providers=providers, limit=limit
        )

    def claim_messages(
        self, *, now: datetime, machine: datetime, rooms: Mapping[str, int], limit: int
    ) -> list[int]:
        return claim.claim_messages(self.connection, now=now, machine=machine, rooms=rooms, limit=limit)

    def lock(self, ids: Collection[int]) -> list[int]:
        return claim.lock(self.connection, sorted(ids))

    def overdue(self, *, before: datetime, limit: int) -> list[int]:
        return claim.overdue(self.connection, before=before, limit=limit)

    def done(self) -> None:
        batches_in_hand.done(self.connection)

    def take_interrupted(self, *, before: datetime) -> list[InterruptedCustomer]:
        return batches_in_hand.take_interrupted(self.connection, before=before)

    def load_customers(
        self, ids: Sequence[int], now: datetime, *, starting: Sequence[str] = ()
    ) -> tuple[list[CustomerState], Catalogue]:
        return build_customers(self.connection, ids, self.store.definitions, now, starting=starting)

    def save(self, customers: Sequence[CustomerState], now: datetime) -> None:
        save(self.connection, customers, now)

    def feed_items(self, customer_id: int, now: datetime, *, most: int) -> list[FeedItem]:
        return feed.visible(self.connection, customer_id, now, most=most)

    def guards(
        self, customer_id: int, now: datetime, catalogue: Catalogue, *, look_back: LookBack | None
    ) -> Guards:
        return guards(self.connection, customer_id, catalogue, now, look_back=look_back)

    def show(self, shown: Sequence[LocalCopy], now: datetime) -> None:
        show(self.connection, shown, now)

    def append_consents(self, rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
        return consents.append(self.connection, rows)

    def park(self, customer_id: int, *, reason: str, detail: str, now: datetime) -> None:
        item = Parked(
            customer_id=customer_id,
            enrollment_id=parked.WHOLE_CUSTOMER,
            reason=reason,
            detail=detail,
            at=now,
        )
        parked.park(self.connection, [item])

    def ensure_customers(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        return customers.ensure(self.connection, keys, now, hash_key=self.store.hash_key)

    def forgotten(self, identities: Collection[str]) -> set[str]:
        hashes = {self.store.hash_key(identity): identity for identity in identities}
        return {hashes[found] for found in customers.tombstoned(self.connection, hashes)}

    def ensure_accounts(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        return customers.ensure_accounts(self.connection, keys, now)

    def find_customer(self, key: str) -> int:
        found = customers.find(self.connection, key)
        if found is None:
            raise NotFound("customer", key)
        return found.id

    def members(self, account_keys: Collection[str]) -> dict[str, list[int]]:
        return customers.members(self.connection, account_keys)

    def colleagues(self, customer_ids: Collection[int]) -> dict[int, list[int]]:
        return inbox_append.colleagues(self.connection, customer_ids)

    def merge_account(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        inbox_append.merge_accounts(self.connection, rows)

    def by_address(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
        return inbox_append.by_address(self.connection, pairs)

    def by_provider_id(self, provider_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        return inbox_append.by_provider_id(self.connection, provider_ids)

    def last_messages(self, customer_ids: Collection[int], channel: str) -> dict[int, int]:
        return inbox_append.last_messages(self.connection, customer_ids, channel)

    def append_inbox(self, items: Sequence[InboxItem], now: datetime) -> int:
        return inbox_append.append(self.connection, items, now)

    def started_by_key(self, customer_id: int, playbook: str, key: str) -> int | None:
        return inbox_append.started_by_key(self.connection, customer_id, playbook, key)

    def enrollment(self, customer_id: int, enrollment_id: int) -> Enrollment:
        return enrollments.enrollment(self.connection, customer_id, enrollment_id)

    def key_of(self, customer_id: int) -> str:
        return enrollments.key_of(self.connection, customer_id)

    def has_message(self, customer_id: int, message_id: int) -> bool:
        return enrollments.has_message(self.connection, customer_id, message_id)

    def locale_of(self, customer_id: int) -> str | None:
        return enrollments.locale_of(self.connection, customer_id)

    def region_of(self, customer_id: int) -> str | None:
        return enrollments.region_of(self.connection, customer_id)

    def publish(self, version: PlaybookVersion, now: datetime) -> bool:
        self.store.definitions.forget()
        return published.store_version_if_new(self.connection, version, now)

    def publish_account(self, definition: Mapping[str, Any], now: datetime) -> None:
        self.store.definitions.forget()
        before = published.newest_policy(self.connection)
        made = published.store_policy(self.connection, digest(definition), definition, now)
        if before is not None and before.id != made:
            inbox_append.ask_anew(self.connection, now)

    def begin_snooze(self, customer_id: int, *, starts_at: datetime, ends_at: datetime) -> None:
        cooldowns.begin_snooze(self.connection, customer_id, starts_at=starts_at, ends_at=ends_at)

    def end_snooze(self, customer_id: int, now: datetime) -> None:
        cooldowns.end_snooze(self.connection, customer_id, now)

    def snoozed_until(self, customer_id: int, now: datetime) -> datetime | None:
        return cooldowns.snoozed_until(self.connection, customer_id, now)

    def consents(self, customer_id: int, now: datetime) -> list[Consent]:
        return consents.as_said(self.connection, customer_id, now)

    def consent_history(self, customer_id: int) -> list[ConsentEntry]:
        return consents.history(self.connection, customer_id)

    def expire_consents(self, now: datetime, *, limit: int) -> int:
        return consents.expire(self.connection, now, limit=limit)

    def hashed(self, value: str) -> str:
        return self.store.hash_key(value)

    def handed_to(self, customer_id: int) -> list[SentSummary]:
        return erase.handed_to(self.connection, customer_id)

    def addresses_of(self, customer_id: int) -> dict[str, str]:
        return erase.addresses_of(self.connection, customer_id)

    def lock_for_erasure(self, customer_id: int) -> tuple[str, tuple[str, ...]]:
        identity = erase.lock(self.connection, customer_id)
        return identity.key, tuple(identity.addresses)

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        hashes = [self.store.hash_key(identity) for identity in identities]
        erase.erase(self.connection, customer_id, now, hashes=hashes)

    def due_once_a_day(self, chore: str, now: datetime) -> bool:
        return retention.due_once_a_day(self.connection, chore, now)

    def prune(self, table: str, *, before: datetime, block: int) -> tuple[int, int | None]:
        return retention.prune(self.connection, table, before=before, block=block)

    def customers_after(self, customer_id: int, *, limit: int) -> list[int]:
        return inbox_append.customers_after(self.connection, customer_id, limit=limit)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours. Their texts may quote a row, so only the kind is told."""
    try:
        yield
    except DBAPIError as error:
        kind = type(error.orig).__name__
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            raise Unavailable(f"PostgreSQL cannot do this now ({kind}); trying again may help") from error
        raise StoreError(f"PostgreSQL refused a statement ({kind})") from error
    except psycopg.Error as error:  # from a pipeline, which SQLAlchemy does not see
        kind = type(error).__name__
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise Unavailable(f"PostgreSQL cannot do this now ({kind}); trying again may help") from error
        raise StoreError(f"PostgreSQL refused a statement ({kind})") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the store failed ({type(error).__name__})") from error
