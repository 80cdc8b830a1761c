"""The store as the services see it: begin, what each room asks of one transaction, commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection, Engine

from orchestrator.clock import Instants
from orchestrator.core.catalogue import Catalogue
from orchestrator.errors import StoreError
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.store.base_scans import PostgresBaseScans
from orchestrator.store.batch import batches_in_hand
from orchestrator.store.batch.batches import PostgresBatches
from orchestrator.store.batch.claim import PostgresClaims, next_due
from orchestrator.store.batch.definitions import CatalogueCache
from orchestrator.store.batch.ids import IdBlocks
from orchestrator.store.consents import PostgresConsents
from orchestrator.store.coordination.clock import Clock, PostgresClock
from orchestrator.store.customers import PostgresCustomers
from orchestrator.store.enrollments import PostgresEnrollments
from orchestrator.store.erase import PostgresErasure
from orchestrator.store.feed import PostgresFeed
from orchestrator.store.history.prune import PostgresHistory
from orchestrator.store.inbox_append import PostgresInbox
from orchestrator.store.messages import PostgresMessages
from orchestrator.store.monitoring.kept import PostgresMonitoring
from orchestrator.store.parked import PostgresParking
from orchestrator.store.published import PostgresPlaybooks
from orchestrator.store.restoring.log_keeper import LogKeeper
from orchestrator.store.restoring.restores import PostgresRestores
from orchestrator.store.restoring.withdrawal_log import WithdrawalLog
from orchestrator.store.snoozes import PostgresSnoozes
from orchestrator.store.sql.errors import translated
from orchestrator.store.withdrawals.account_policy import PolicyCache
from orchestrator.store.withdrawals.stop import PostgresWithdrawals


@dataclass(frozen=True, kw_only=True)
class PostgresStore:
    """One per process. ``hash_key`` is the keyed hash that keeps erased people out."""

    database: Engine
    clock: Clock
    hash_key: Callable[[str], str]
    definitions: CatalogueCache = field(default_factory=CatalogueCache)
    undone: set[str] = field(default_factory=set)
    ids: IdBlocks = field(default_factory=IdBlocks)
    policies: PolicyCache = field(default_factory=PolicyCache)
    withdrawal_log: WithdrawalLog | None = None

    def begin(self) -> AbstractContextManager[PostgresTransaction]:
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[PostgresTransaction]:
        with translated(), self.database.begin() as connection:
            yield PostgresTransaction(connection=connection, store=self)
        if self.withdrawal_log is not None and self.withdrawal_log.unmarked:
            self.keep_log()

    def may_work(self) -> bool:
        return self.log_keeper.may_work()

    def keep_log(self) -> None:
        self.log_keeper.keep()

    def newest_mark(self) -> int:
        return self.log_keeper.newest_mark()

    @cached_property
    def log_keeper(self) -> LogKeeper:
        """What keeps the withdrawal log and this database together."""
        return LogKeeper(
            database=self.database, clock=self.clock, log=self.withdrawal_log, definitions=self.definitions
        )

    def attempt(self, ids: Sequence[int], machine: datetime, *, crash_count: Mapping[int, int]) -> None:
        with translated(), self.database.begin() as connection:
            batches_in_hand.mark(connection, ids, machine, crash_count)
        self.undone.discard(batches_in_hand.this_thread())

    def attempt_failed(self) -> None:
        try:
            with translated(), self.database.begin() as connection:
                batches_in_hand.done(connection)
        except StoreError:
            self.undone.add(batches_in_hand.this_thread())

    def next_due(self, waits: Mapping[str, float]) -> datetime | None:
        with translated(), self.database.begin() as connection:
            machine = self.clock.read(connection).machine
            shut = {provider: machine + timedelta(seconds=seconds) for provider, seconds in waits.items()}
            return next_due(connection, shut, self.definitions.unreadable)


@dataclass(frozen=True, kw_only=True)
class PostgresTransaction:
    """Every verb of :class:`orchestrator.service.ports.Transaction`, over one connection."""

    connection: Connection
    store: PostgresStore

    def catalogue(self, *, at_once: bool = False) -> Catalogue:
        return self.store.definitions.refresh(self.connection, at_once=at_once)

    def instants(self) -> Instants:
        return self.store.clock.read(self.connection)

    def policy(self) -> AccountPolicy:
        return self.store.policies.read(self.connection)

    @property
    def base_scans(self) -> PostgresBaseScans:
        return PostgresBaseScans(connection=self.connection)

    @property
    def batches(self) -> PostgresBatches:
        return PostgresBatches(
            connection=self.connection,
            definitions=self.store.definitions,
            hash_key=self.store.hash_key,
            undone=self.store.undone,
            ids=self.store.ids,
            consents=self.consents,
        )

    @property
    def claims(self) -> PostgresClaims:
        return PostgresClaims(connection=self.connection, unreadable=self.store.definitions.unreadable)

    @property
    def clock(self) -> PostgresClock:
        return PostgresClock(connection=self.connection)

    @property
    def consents(self) -> PostgresConsents:
        store = self.store
        return PostgresConsents(connection=self.connection, hash_key=store.hash_key, log=store.withdrawal_log)

    @property
    def customers(self) -> PostgresCustomers:
        return PostgresCustomers(connection=self.connection, hash_key=self.store.hash_key)

    @property
    def enrollments(self) -> PostgresEnrollments:
        return PostgresEnrollments(connection=self.connection)

    @property
    def erasure(self) -> PostgresErasure:
        store = self.store
        return PostgresErasure(connection=self.connection, hash_key=store.hash_key, log=store.withdrawal_log)

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
    def monitoring(self) -> PostgresMonitoring:
        return PostgresMonitoring(connection=self.connection)

    @property
    def parking(self) -> PostgresParking:
        return PostgresParking(connection=self.connection)

    @property
    def playbooks(self) -> PostgresPlaybooks:
        return PostgresPlaybooks(connection=self.connection, forget=self.store.definitions.forget)

    @property
    def restores(self) -> PostgresRestores:
        return PostgresRestores(connection=self.connection, hash_key=self.store.hash_key)

    @property
    def snoozes(self) -> PostgresSnoozes:
        return PostgresSnoozes(connection=self.connection)

    @property
    def withdrawals(self) -> PostgresWithdrawals:
        return PostgresWithdrawals(connection=self.connection)
