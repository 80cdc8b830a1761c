"""Everything that people and pages look at: each verb is one read, in a transaction of its own, and changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from orchestrator.analytics.funnel import Funnel
from orchestrator.clock import Instants
from orchestrator.language.model import Cap
from orchestrator.records.customer import Customer
from orchestrator.records.enrollment import Parked
from orchestrator.records.links import AskedMessage, ClickFacts
from orchestrator.records.operations.faults import Finding
from orchestrator.records.operations.work import Health
from orchestrator.records.playbook_version import StoredVersion
from orchestrator.records.restore import RestoreState
from orchestrator.records.timeline import Timeline
from orchestrator.store import parked, published, sandbox
from orchestrator.store.coordination.clock import Clock, DatabaseClock
from orchestrator.store.monitoring import findings, read, readiness, server
from orchestrator.store.monitoring.read import Watched
from orchestrator.store.monitoring.readiness import Readiness
from orchestrator.store.reports import export, invariants, snapshots
from orchestrator.store.reports.invariants import Violation
from orchestrator.store.reports.message_origins import MessageOrigin, message_origins
from orchestrator.store.reports.pages import customer, customer_search, links, playbooks
from orchestrator.store.reports.pages.customer import CustomerInbox, CustomerProfile, CustomerStory
from orchestrator.store.reports.pages.customer_search import FoundCustomer
from orchestrator.store.reports.pages.held_back import HeldBackPage
from orchestrator.store.reports.pages.playbooks import Installation, PlaybookList, PlaybookPage
from orchestrator.store.reports.rehearsals import notable_customers, report
from orchestrator.store.reports.rehearsals.notable_customers import NotableCustomers
from orchestrator.store.reports.rehearsals.report import Report
from orchestrator.store.reports.timeline import customer_timeline
from orchestrator.store.restoring import restores, withdrawals
from orchestrator.store.sandbox import SandboxMessage
from orchestrator.store.sql.connections import Database, make_engine
from orchestrator.store.sql.errors import translated


@contextmanager
def open_reports(url: str, *, application_name: str) -> Iterator[Reports]:
    """Reads of the database at ``url`` for as long as the block lasts, without an engine around them."""
    database = make_engine(url, application_name=application_name)
    try:
        yield Reports(database=database, clock=DatabaseClock())
    finally:
        database.dispose()


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Reads of one database. ``key`` is a customer's product key; whoever asks for one nobody has gets NotFound.

    Every verb raises Unavailable when PostgreSQL cannot be reached.
    """

    database: Database
    clock: Clock

    def instants(self) -> Instants:
        """Business and machine time now."""
        with self._reading() as connection:
            return self.clock.read(connection)

    # --- customers --------------------------------------------------------------------------------------------------

    def customer(self, key: str) -> Customer:
        """Who the customer is: attributes and addresses, no history."""
        with self._reading() as connection:
            return customer.found(connection, key)

    def find_customers(self, wanted: str) -> list[FoundCustomer]:
        """By the beginning of the key or of the account's key, or by a whole address; empty: those who came last."""
        with self._reading() as connection:
            return customer_search.find_customers(connection, wanted)

    def profile(self, key: str) -> CustomerProfile:
        """Who the customer is, with consents and enrollments."""
        with self._reading() as connection:
            return customer.profile(connection, key)

    def timeline(self, key: str) -> Timeline:
        """Everything that happened, and why each message was or was not sent."""
        with self._reading() as connection:
            return customer_timeline(connection, customer.found(connection, key).id)

    def story(self, key: str) -> CustomerStory:
        """The timeline with what stands in the way now: consents, cooldowns, holds."""
        with self._reading() as connection:
            return customer.story(connection, key, self.clock.read(connection).business)

    def inbox(self, key: str) -> CustomerInbox:
        """What the sandbox kept for the customer, and the items of the feed."""
        with self._reading() as connection:
            return customer.inbox(connection, key, self.clock.read(connection).business)

    def sandbox(self, key: str) -> list[SandboxMessage]:
        """What the sandbox kept for the customer, newest first."""
        with self._reading() as connection:
            return sandbox.inbox(connection, key)

    def export(self, key: str) -> dict[str, Any]:
        """Everything stored about a person, machine-readable (GDPR Art. 15 and 20)."""
        with self._reading() as connection:
            return export.export(connection, customer.found(connection, key).id)

    # --- what signed links lead to ----------------------------------------------------------------------------------

    def customer_key(self, customer_id: int) -> str:
        """The product's key of the customer a link was made for. Raises NotFound, also for an erased one."""
        with self._reading() as connection:
            return links.customer_key(connection, customer_id)

    def customer_id(self, key: str) -> int:
        """The id that a customer's own links carry."""
        with self._reading() as connection:
            return links.customer_id(connection, key)

    def asked_message(self, message_id: str) -> AskedMessage:
        """What an answer page shows of a message. Raises NotFound, also for an id that no message ever had."""
        with self._reading() as connection:
            return links.asked_message(connection, message_id)

    def click(self, message_id: str, name: str, *, at_once: timedelta, too_soon: timedelta) -> ClickFacts:
        """What is known about a click on the link ``name``; spans are machine time. Raises NotFound."""
        with self._reading() as connection:
            now = self.clock.read(connection)
            return links.click_facts(
                connection, message_id, name, now=now, at_once=at_once, too_soon=too_soon
            )

    def playbook_titles(self, names: Sequence[str]) -> list[str]:
        """How the newest version of each playbook calls itself, in the given order."""
        if not names:
            return []
        with self._reading() as connection:
            return links.playbook_titles(connection, names)

    # --- playbooks --------------------------------------------------------------------------------------------------

    def playbooks(self) -> PlaybookList:
        """Every playbook's newest version with its figures, and how the engine is doing."""
        with self._reading() as connection:
            return playbooks.playbook_list(connection, self.clock.read(connection))

    def playbook(self, name: str, version: int | None = None) -> PlaybookPage:
        """One version, the newest unless told, beside the others. Raises NotFound."""
        with self._reading() as connection:
            return playbooks.playbook_page(connection, name, version)

    def versions(self, name: str) -> list[StoredVersion]:
        """Every published version of a playbook, newest first; empty for an unknown one."""
        with self._reading() as connection:
            return published.versions(connection, name)

    def funnels(self) -> list[Funnel]:
        """The figures of every playbook's newest version."""
        with self._reading() as connection:
            return [snapshots.current_funnel(connection, one.name)[0] for one in published.newest(connection)]

    def funnel(self, name: str, version: int | None = None) -> Funnel:
        """The figures of one version, the newest unless told. Raises NotFound."""
        with self._reading() as connection:
            return snapshots.current_funnel(connection, name, version)[0]

    # --- operations -------------------------------------------------------------------------------------------------

    def health(self) -> Health:
        """How the work stands."""
        with self._reading() as connection:
            return read.health(connection, self.clock.read(connection))

    def watched(self) -> Watched:
        """Everything that is counted, for Prometheus."""
        with self._reading() as connection:
            return read.watched(connection, self.clock.read(connection))

    def diagnosis(self, *, production: bool) -> tuple[Health, list[Finding]]:
        """How the work stands, and what is well and what is not: of the work and of the server."""
        with self._reading() as connection:
            health = read.health(connection, self.clock.read(connection))
            facts = server.server_facts(connection)
            backup = findings.backup_findings(restores.latest(connection), withdrawals.waiting(connection))
        return health, [
            *findings.work_findings(health, production=production),
            *backup,
            *findings.server_findings(facts),
        ]

    def parked(self) -> list[Parked]:
        """Who was set aside because deciding failed, newest first."""
        with self._reading() as connection:
            return parked.listed(connection)

    def held_back(self, *, days: int, policy: str | None = None) -> HeldBackPage:
        """What the guardrails held back in the last ``days`` of business time."""
        with self._reading() as connection:
            business = self.clock.read(connection).business
            return snapshots.current_held_back(connection, business, days, policy)

    def readiness(self) -> Readiness:
        """Whether the installation does its work. Never raises."""
        return readiness.readiness(self.database, self.clock)

    def installation(self) -> Installation:
        """The server, and what is published on it."""
        with self._reading() as connection:
            return playbooks.installation(connection)

    def violations(self, caps: Sequence[Cap]) -> list[Violation]:
        """Rows that break an invariant; reads whole tables."""
        with self._reading() as connection:
            return invariants.check_invariants(connection, caps=caps)

    def restore(self) -> RestoreState | None:
        """The last time this database was put back from a backup."""
        with self._reading() as connection:
            return restores.latest(connection)

    def connected_processes(self) -> int:
        """Connections of processes that serve or work on this database; those of reads like this one left out."""
        with self._reading() as connection:
            return restores.connected(connection)

    def unlogged_withdrawals(self) -> int:
        """Committed withdrawals that the log outside the database has missed so far."""
        with self._reading() as connection:
            return withdrawals.waiting(connection)

    # --- rehearsals -------------------------------------------------------------------------------------------------

    def rehearsal(self, *, seed: int | None, start: datetime, end: datetime, caps: Sequence[Cap]) -> Report:
        """What a rehearsal in this database showed."""
        with self._reading() as connection:
            return report.make_report(connection, seed=seed, start=start, end=end, caps=caps)

    def notable_customers(self) -> NotableCustomers:
        """Who is worth looking at after a rehearsal."""
        with self._reading() as connection:
            return notable_customers.notable_customers(connection, self.clock.read(connection).business)

    def message_origins(self, message_ids: Collection[str]) -> dict[str, MessageOrigin]:
        """The playbook, step and context of messages, by their public ids."""
        if not message_ids:
            return {}
        with self._reading() as connection:
            return message_origins(connection, message_ids)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(), self.database.connect() as connection:
            yield connection
