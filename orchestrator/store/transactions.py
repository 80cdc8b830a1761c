"""The store as the services see it: begin, what each room asks of one transaction, commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from orchestrator.clock import Instants
from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import CustomerState
from orchestrator.records.consent import Consent, ConsentEntry
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.drain import InterruptedCustomer
from orchestrator.records.enrollment import Parked
from orchestrator.records.erasure import SentSummary
from orchestrator.store import consents, erase, parked
from orchestrator.store.batch import batches_in_hand, claim
from orchestrator.store.batch.build import build_customers
from orchestrator.store.batch.definitions import CatalogueCache
from orchestrator.store.batch.save import save
from orchestrator.store.coordination.clock import Clock, PostgresClock
from orchestrator.store.customers import PostgresCustomers
from orchestrator.store.enrollments import PostgresEnrollments
from orchestrator.store.feed import PostgresFeed
from orchestrator.store.inbox_append import PostgresInbox
from orchestrator.store.local_copies import show
from orchestrator.store.messages import PostgresMessages
from orchestrator.store.parked import PostgresParking
from orchestrator.store.published import PostgresPlaybooks
from orchestrator.store.retention import PostgresHistory
from orchestrator.store.snoozes import PostgresSnoozes
from orchestrator.store.sql.errors import translated


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

    @property
    def clock(self) -> PostgresClock:
        return PostgresClock(connection=self.connection)

    @property
    def customers(self) -> PostgresCustomers:
        return PostgresCustomers(connection=self.connection, hash_key=self.store.hash_key)

    @property
    def enrollments(self) -> PostgresEnrollments:
        return PostgresEnrollments(connection=self.connection)

    @property
    def feed(self) -> PostgresFeed:
        return PostgresFeed(connection=self.connection)

    @property
    def history(self) -> PostgresHistory:
        return PostgresHistory(connection=self.connection)

    @property
    def inbox(self) -> PostgresInbox:
        return PostgresInbox(connection=self.connection)

    @property
    def messages(self) -> PostgresMessages:
        return PostgresMessages(connection=self.connection)

    @property
    def parking(self) -> PostgresParking:
        return PostgresParking(connection=self.connection)

    @property
    def playbooks(self) -> PostgresPlaybooks:
        return PostgresPlaybooks(connection=self.connection, forget=self.store.definitions.forget)

    @property
    def snoozes(self) -> PostgresSnoozes:
        return PostgresSnoozes(connection=self.connection)

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

    def lock_for_erasure(self, customer_id: int) -> list[int]:
        return erase.lock(self.connection, customer_id)

    def identities_of(self, customer_id: int) -> tuple[str, ...]:
        return erase.identities_of(self.connection, customer_id)

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        hashes = [self.store.hash_key(identity) for identity in identities]
        erase.erase(self.connection, customer_id, now, hashes=hashes)
