"""The engine as a program uses it: every verb of the product, of customers, of providers and of workers.

An :class:`Engine` holds no state of its own beyond caches: any number of processes may run one over one database.
Build it with :func:`orchestrator.bootstrap.build_engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from channels.base import ListsSuppressions, Receipt
from channels.table import channel_names
from orchestrator.clock import monotonic
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.folder import called_functions
from orchestrator.language.model import Ask, Send
from orchestrator.records.consent import ConsentEvidence, ConsentFact, ConsentHistory
from orchestrator.records.drain import Drained
from orchestrator.records.enrollment import Enrollment
from orchestrator.records.erasure import ErasureReceipt
from orchestrator.records.feed import Feed, FeedAction
from orchestrator.records.intake import Identify, IngestReport, ReportedResponse, Track
from orchestrator.records.preferences import OptOutReceipt, Preferences
from orchestrator.records.restore import Progress, RestoreReport
from orchestrator.service.consent import history, ledger, preferences, snooze
from orchestrator.service.consent.ledger_rows import ConsentScope
from orchestrator.service.context import ServiceContext
from orchestrator.service.delivery.deliver import Delivery
from orchestrator.service.delivery.lanes import messages_alone
from orchestrator.service.enrollment import start
from orchestrator.service.enrollment.advance import take_overdue
from orchestrator.service.enrollment.crash_recovery import take_interrupted
from orchestrator.service.intake import feed, ingest, provider_callbacks, scan
from orchestrator.service.operations import clock_rate, monitoring, pause, publish, release, restored
from orchestrator.service.operations.monitoring import ProcessReporter
from orchestrator.service.operations.restored import RestoreRequest
from orchestrator.service.privacy import erase, retention
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.settings import Settings
from orchestrator.store.coordination.api_requests import ApiRequests
from orchestrator.store.coordination.runner_seat import RunnerSeat
from orchestrator.store.reports.reader import Reports
from orchestrator.store.sql.connections import Database
from orchestrator.telemetry import emit

Result = TypeVar("Result")
NOTHING_DONE = Drained(customers=0, messages=0, more=False)

_A_CALL = 15.0  # seconds: longer than any call takes
WITHDRAWAL_THREADS = 20
"""How many threads of one process may be at work on withdrawals: each finds a connection of its own."""


@dataclass(frozen=True, kw_only=True)
class Connections:
    """A pool of connections, and what reads and writes by it."""

    database: Database
    services: ServiceContext
    reports: Reports
    api_requests: ApiRequests


@dataclass(kw_only=True)
class Engine:
    """The facade. Callers give the product's own customer keys and get frozen values back.

    What customers and providers say about consent, exports and erasures go over ``withdrawals``: connections of their
    own, which nothing else of the process can use up, and which wait up to ten seconds for a customer's lock.

    ``nudge`` is called after each commit that made something due; it never raises and never blocks for long.
    """

    settings: Settings
    database: Database
    services: ServiceContext
    delivery: Delivery
    links: LinkSigner
    reports: Reports
    reporter: ProcessReporter
    api_requests: ApiRequests
    withdrawals: Connections
    nudge: Callable[[], None] = field(default=lambda: None)
    functions: Collection[str] = ()  # what `call` steps may name here
    clock_follows: bool = False
    """The database's clock has the rate of the settings, as far as this process knows."""

    @property
    def policy(self) -> AccountPolicy:
        """The account's policy as published now."""
        with self.services.store.begin() as transaction:
            return transaction.catalogue().policy

    def for_withdrawals(self) -> Engine:
        """The same engine, every verb of which goes over the connections of withdrawals."""
        own = self.withdrawals
        return replace(
            self,
            database=own.database,
            services=own.services,
            reports=own.reports,
            api_requests=own.api_requests,
        )

    # --- the product ------------------------------------------------------------------------------------------------

    def identify(self, items: Sequence[Identify]) -> IngestReport:
        """Profile facts about people and accounts; good items are kept whatever is wrong with others."""
        return self._nudged(ingest.identify(self.services, items))

    def track(self, items: Sequence[Track]) -> IngestReport:
        """Signals about people and accounts, each taken once by its source id."""
        return self._nudged(ingest.track(self.services, items))

    def start_playbook(
        self,
        customer: str,
        name: str,
        *,
        context: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Enrollment:
        """Enroll a customer; the same ``key`` gives the same enrollment.

        Raises NotFound, InputError, and StartRefused with the reason.
        """
        return self._nudged(start.start_playbook(self.services, customer, name, context=context, key=key))

    def respond(
        self,
        message_id: str,
        outcome: str,
        *,
        detail: str | None = None,
        comment: str | None = None,
        source_id: str | None = None,
        at: datetime | None = None,
    ) -> bool:
        """What a person did with a message; False if this was heard before. Raises InputError, NotFound."""
        answer = ReportedResponse(
            message_id=message_id, outcome=outcome, detail=detail, comment=comment, source_id=source_id, at=at
        )
        return self._nudged(ingest.respond(self.services, answer))

    def feed(self, customer_id: int, *, limit: int) -> Feed:
        """What the customer of a feed token may see in the product now."""
        return feed.feed(self.services, customer_id, limit=limit)

    def report_feed_action(
        self,
        customer_id: int,
        message_id: str,
        action: FeedAction,
        *,
        detail: str | None = None,
        comment: str | None = None,
    ) -> bool:
        """What the customer of a feed token did with an item; False if it was known. Raises NotFound, InputError."""
        reported = feed.report(self.services, customer_id, message_id, action, detail=detail, comment=comment)
        return self._nudged(reported)

    # --- providers and customers ------------------------------------------------------------------------------------

    def receive(self, receipts: Sequence[Receipt]) -> IngestReport:
        """Provider callbacks, already authenticated."""
        return self._nudged(provider_callbacks.receive(self.withdrawals.services, receipts))

    def opt_out(
        self,
        customer: str,
        *,
        channel: str = "*",
        topic: str = "*",
        evidence: ConsentEvidence,
        source_id: str | None = None,
    ) -> OptOutReceipt:
        """Withdraw consent, in force from the commit; the receipt says what was stopped."""
        scope = ConsentScope(channel=channel, topic=topic, evidence=evidence, source_id=source_id)
        return self._nudged(preferences.opt_out(self.withdrawals.services, customer, scope))

    def opt_in(
        self,
        customer: str,
        *,
        channel: str = "*",
        topic: str = "*",
        evidence: ConsentEvidence,
        source_id: str | None = None,
    ) -> None:
        """Grant consent: it re-opens only what it names."""
        scope = ConsentScope(channel=channel, topic=topic, evidence=evidence, source_id=source_id)
        preferences.opt_in(self.withdrawals.services, customer, scope)
        self.nudge()

    def snooze(self, customer: str, until: datetime) -> None:
        """No promotional message until then, because the customer asked for it."""
        snooze.snooze(self.withdrawals.services, customer, until)

    def end_snooze(self, customer: str) -> None:
        """The customer ended the snooze: what waited for its end may go out now. Raises NotFound."""
        snooze.end_snooze(self.withdrawals.services, customer)
        self.nudge()

    def preferences(self, customer: str | int) -> Preferences:
        """What the preference page shows, by the product's key or the id in a link of ours. Raises NotFound."""
        return preferences.preferences(self.withdrawals.services, customer)

    def export(self, customer: str) -> dict[str, Any]:
        """Everything known about a person, machine-readable (GDPR Art. 15 and 20). Raises NotFound."""
        return self.withdrawals.reports.export(customer)

    def import_consents(self, items: Sequence[ConsentFact]) -> IngestReport:
        """Grants and withdrawals recorded elsewhere, with their evidence, each once."""
        return self._nudged(ledger.import_consents(self.services, items))

    def consents(self, customer: str) -> ConsentHistory:
        """Everything a customer ever said about being spoken to, and what is in force. Raises NotFound."""
        return history.history(self.services, customer)

    def erase(self, customer: str, *, anyway: bool = False) -> ErasureReceipt:
        """Forget a person (GDPR Art. 17), here and at the providers.

        Raises NotFound, and ErasureIncomplete when a provider could not be told: repeat it then, or go on ``anyway``.
        """
        return erase.erase(self.withdrawals.services, self.delivery.channel_for, customer, anyway=anyway)

    # --- growth teams and operators ---------------------------------------------------------------------------------

    def publish(self, folder: Path) -> list[tuple[str, int, bool]]:
        """Check and store a folder of playbooks: (name, version, new). Raises DefinitionError, Conflict."""
        return publish.publish(self.services, folder)

    def pause(self, playbook: str, *, reason: str) -> None:
        """Let nobody into a playbook until it is resumed; whoever is in it goes on. Raises NotFound."""
        pause.pause(self.services, playbook, reason=reason)

    def resume(self, playbook: str) -> None:
        """Let people into a paused playbook again."""
        pause.resume(self.services, playbook)

    def release(self, customer_id: int, enrollment_id: int) -> bool:
        """Let a parked enrollment go on, or with the id 0 the whole customer. False when it was not parked."""
        return self._nudged(release.release(self.services, customer_id, enrollment_id))

    def set_clock_rate(self, rate: float) -> None:
        """Let business time pass ``rate`` times as fast from now on, without a jump. For rehearsals."""
        clock_rate.set_clock_rate(self.services, rate)

    def follow_clock_rate(self) -> None:
        """Give the database's clock the rate of the settings, once a process: 1 where they say nothing.

        Raises Unavailable; the next sweep tries again.
        """
        if not self.clock_follows:
            self.set_clock_rate(self.settings.clock_rate)
            self.clock_follows = True

    def start_clock_at(self, business: datetime) -> None:
        """Let the database's clock go on from here at rate 1, after a virtual clock led up to it."""
        clock_rate.start_clock_at(self.services, business)

    # --- workers ----------------------------------------------------------------------------------------------------

    def work(self, *, limit: int | None = None) -> Drained:
        """One batch of customers with anything due: inbox rows, timers, messages. Nobody in a restored backup that was
        not dealt with."""
        if not self.services.store.may_work():
            return NOTHING_DONE
        return self.delivery.work(limit=limit or self.settings.batch_size)

    def advance(self, *, limit: int | None = None) -> Drained:
        """One batch of inbox rows and timers without handing anything over: messages are planned. Nobody in a restored
        backup that was not dealt with."""
        if not self.services.store.may_work():
            return NOTHING_DONE
        return self.delivery.plan(limit=limit or self.settings.batch_size)

    def deliver(self, *, limit: int | None = None) -> Drained:
        """One batch of customers with due messages. Nobody in a restored backup that was not dealt with."""
        if not self.services.store.may_work():
            return NOTHING_DONE
        return self.delivery.work(limit=limit or self.settings.batch_size, lane=messages_alone)

    def drain(self, *, seconds: float | None = None) -> Drained:
        """Work until nothing is due, nothing is on the wire and every answer is filed, or ``seconds`` are over."""
        ends = inf if seconds is None else monotonic() + seconds
        customers = messages = 0
        while True:
            done = self.work()
            customers += done.customers
            messages += done.messages
            if not done.more:
                if not self.delivery.busy:
                    return Drained(customers=customers, messages=messages, more=False)
                self.delivery.settle(max(0.0, min(ends - monotonic(), _A_CALL)))  # which may make more due
            if monotonic() >= ends:
                return Drained(customers=customers, messages=messages, more=True)

    def sweep(self) -> int:
        """Take whoever batches kept passing over, and whom processes left behind that died; how many.

        Every few seconds the work is counted too, for whoever watches.
        """
        self.follow_clock_rate()
        started = monotonic()
        self.services.store.keep_log()
        if not self.services.store.may_work():
            return 0
        skipped = take_overdue(self.services, self.delivery)
        interrupted = take_interrupted(self.services, self.delivery)
        scan.go_on(self.services)
        monitoring.count_work(self.services)
        seconds = round(monotonic() - started, 3)
        emit("sweep.done", skipped=skipped, interrupted=interrupted, seconds=seconds)
        return skipped + interrupted

    def scan(self) -> int:
        """Ask the base about playbooks that enter by a daily scan or a calendar; once a day, however often called."""
        if not self.services.store.may_work():
            return 0
        self.care()
        asked = scan.scan(self.services)
        if asked:
            self.nudge()
        return asked

    def care(self) -> None:
        """Write down consents that are over, once a day let go of history that is older than it is kept, and make the
        reports that pages over a large base show."""
        ledger.expire(self.services)
        retention.prune_daily(self.services)
        monitoring.make_reports(self.services)

    def report(self, role: str, *, works: bool, broker_silent: bool = False) -> None:
        """Say that this process lives, how it is doing, and what it counted since the last time. Raises StoreError."""
        self.reporter.report(
            role, works=works, broker_silent=broker_silent, results_waiting=self.delivery.backlog
        )

    def prune(self) -> dict[str, int]:
        """Let go of history that is older than policy.yaml keeps it, now: rows by kind."""
        return retention.prune(self.services)

    def seat(self) -> RunnerSeat:
        """What only one process of a database has at a time: see :mod:`orchestrator.queue.in_process`."""
        return RunnerSeat(self.database)

    def next_due(self) -> datetime | None:
        """When the next timer, message or inbox row is due: where a virtual clock may jump to."""
        return self.services.store.next_due(self.delivery.gates.waits())

    def channels_without_provider(self) -> list[str]:
        """The channels that published playbooks speak on and a sandbox takes, because no key is set."""
        with self.services.store.begin() as transaction:
            playbooks = [one.playbook for one in transaction.catalogue(at_once=True).newest.values()]
        used = {
            channel
            for playbook in playbooks
            for step in playbook.steps
            if isinstance(step.action, Send | Ask)
            for channel in step.action.channel
            if channel in channel_names()
        }
        return sorted(name for name in used if self.delivery.channel_for(name).provider == "sandbox")

    def definition_faults(self) -> list[str]:
        """What of the published versions this release cannot carry out: it cannot read them, or a function they call is
        not registered here. Their enrollments wait."""
        with self.services.store.begin() as transaction:
            catalogue = transaction.catalogue(at_once=True)
        unreadable = [
            f"{one.name} v{one.version} cannot be read: {one.why}"
            for one in sorted(catalogue.unreadable.values(), key=lambda one: (one.name, one.version))
        ]
        missing = [
            f"{one.name} v{one.version} calls {name!r}, which is not registered here"
            for one in catalogue.newest.values()
            for name in called_functions(one.playbook)
            if name not in self.functions
        ]
        return unreadable + sorted(missing)

    def close(self) -> None:
        """Let go of connections and threads."""
        self.delivery.close()
        self.database.dispose()
        self.withdrawals.database.dispose()

    def _nudged(self, result: Result) -> Result:
        self.nudge()
        return result


def make_restored_safe(engine: Engine, request: RestoreRequest, progress: Progress) -> RestoreReport:
    """Deal with a database that was put back from a backup; may be repeated, and goes on where it was left.

    Raises InputError for an instant in the future.
    """
    channels = {name: engine.delivery.channel_for(name) for name in channel_names()}
    listing = [one for one in channels.values() if isinstance(one, ListsSuppressions)]

    def forget(customer: str) -> None:
        engine.erase(customer, anyway=True)

    report = restored.restored(engine.services, request, listing, forget, progress)
    engine.nudge()
    return report
