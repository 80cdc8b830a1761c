"""One enrollment through ``decide`` alone: a customer, a clock and what happens to them, without any store.

An :class:`EnrollmentDriver` checks and compiles a playbook from YAML, enters it, and lets each event move the
enrollment. It keeps every command and journal line, so that a story can tell what was wanted and in which order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from textwrap import indent
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from orchestrator.core.machine.commands import Command, Decision, JournalEntry, PlanMessage
from orchestrator.core.machine.decide import decide
from orchestrator.core.machine.enrollment import (
    EnrollmentSnapshot,
    EnrollmentState,
    state_from_json,
    state_to_json,
)
from orchestrator.core.machine.events import (
    ConsentWithdrawn,
    DeliveryOutcome,
    EnrollmentEvent,
    Entered,
    FactsChanged,
    HandedOver,
    Responded,
    Settled,
    Signalled,
    TimerDue,
)
from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.language.account.calendar import read_calendars
from orchestrator.language.account.policy import read_policy
from orchestrator.language.account.signals import read_vocabulary
from orchestrator.language.checking.playbook import check
from orchestrator.language.conditions.computed import Computed
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.graph.compile import Compiled, compile_playbook
from orchestrator.language.model import Playbook
from orchestrator.language.problems import has_errors
from orchestrator.language.reading.playbook import read_playbook
from orchestrator.records.enrollment import Phase

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")

SIGNALS = """
attributes:
  plan: text
  region: text
  health: number
  seats: number
  renews_at: date
  trial_ends: time
events:
  limit_reached: {order_id: text, total: money}
  plan_upgraded: {mrr_delta: money, order_id: text}
  trial_started: {}
  call_booked: {}
  order_cancelled: {order_id: text}
  paid: {}
"""
POLICY = """
topics:
  upsell: {title: Upgrades}
  service: {title: Notices, promotional: false}
"""
CALENDAR = 'tax: [{key: tax-2026, name: Tax season, starts: "2026-07-01", ends: "2026-07-31"}]'
HEAD = """playbook: nudge
version: 1
title: A nudge
topic: upsell
enter: {when: limit_reached, because: "you reached your limit", reentry: {after: 30d}}
"""

C = TypeVar("C")


def playbook(steps: str, more: str = "", head: str = HEAD) -> Playbook:
    """A playbook without mistakes, around the steps a story is about."""
    text = f"{head}{more.strip()}\nsteps:\n{indent(steps.strip(chr(10)), '  ')}\n"
    made, problems = read_playbook(text)
    assert made is not None, [str(one) for one in problems]
    vocabulary, wrong = read_vocabulary(SIGNALS)
    policy, worse = read_policy(POLICY)
    assert not wrong
    assert not worse
    calendars, unread = read_calendars(CALENDAR)
    assert not unread
    found = check(made, vocabulary=vocabulary, policy=policy, calendars=calendars)
    assert not has_errors(found), [str(one) for one in found]
    return made


def a_customer(now: datetime = NOON, zone: ZoneInfo = BERLIN, **attributes: Any) -> CustomerFacts:
    return CustomerFacts(key="anna", now=now, zone=zone, attributes=attributes)


def folded(entries: list[JournalEntry]) -> EnrollmentState:
    """The state that the journal's lines add up to."""
    plain = state_to_json(EnrollmentState())
    for entry in entries:
        plain.update(entry.changes)
    return state_from_json(plain)


@dataclass
class EnrollmentDriver:
    """One customer's walk. ``wanted`` and ``journal`` are everything so far; ``last`` the last decision."""

    steps: str
    more: str = ""
    head: str = HEAD
    held_out: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)
    customer: CustomerFacts = field(default_factory=a_customer)
    subject: str = "anna"
    computed: Mapping[str, Computed] = field(default_factory=dict)
    wanted: list[Command] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.compiled: Compiled = compile_playbook(playbook(self.steps, self.more, self.head))
        self.enrollment = EnrollmentSnapshot(
            customer_id=1,
            enrollment_id=1,
            playbook_id=1,
            playbook=self.compiled.playbook.name,
            subject=self.subject,
            entered_at=self.customer.now,
            held_out=self.held_out,
            context=self.context,
        )
        self.last = self.tell(Entered())

    # --- what happens -----------------------------------------------------------------------------------------------

    def tell(self, event: EnrollmentEvent) -> Decision:
        self.last = decide(self.compiled, self.enrollment, event, self.customer, self.computed)
        self.enrollment = self.last.enrollment
        self.wanted.extend(self.last.commands)
        self.journal.extend(self.last.entries)
        return self.last

    def after(self, span: timedelta) -> EnrollmentDriver:
        self.customer.now += span
        return self

    def wake(self) -> Decision:
        """Time passes until the run's own timer."""
        due = self.state.due_at
        assert due is not None, "an ended run has no timer"
        self.customer.now = max(self.customer.now, due)
        return self.tell(TimerDue())

    def hand_over(self, channel: str = "email", *, tracked: bool = True) -> Decision:
        return self.tell(HandedOver(visit=self.visit, channel=channel, tracked=tracked))

    def settle(
        self, outcome: DeliveryOutcome, channel: str = "email", answer: Mapping[str, Any] | None = None
    ) -> Decision:
        return self.tell(
            Settled(visit=self.visit, outcome=outcome, at=self.customer.now, channel=channel, answer=answer)
        )

    def send(self, channel: str = "email", *, tracked: bool = True) -> EnrollmentDriver:
        """The current message goes out at once."""
        self.hand_over(channel, tracked=tracked)
        self.settle(DeliveryOutcome.SENT, channel)
        return self

    def respond(
        self, outcome: str, detail: str | None = None, *, visit: int | None = None, step: str | None = None
    ) -> Decision:
        return self.tell(
            Responded(
                visit=self.visit if visit is None else visit,
                outcome=outcome,
                detail=detail,
                occurred_at=self.customer.now,
                step=step,
            )
        )

    def signal(self, name: str, **properties: Any) -> Decision:
        now = self.customer.now
        self.customer.histories.setdefault(name, []).append(
            SignalOccurrence(name=name, occurred_at=now, properties=properties)
        )
        return self.tell(Signalled(name=name, occurred_at=now, properties=properties))

    def profile(self, **attributes: Any) -> Decision:
        for name, value in attributes.items():
            self.customer.attributes.pop(name, None)
            if value is not None:
                self.customer.attributes[name] = value
        return self.tell(FactsChanged())

    def opt_out(self, channel: str = "*", topic: str = "*") -> Decision:
        return self.tell(ConsentWithdrawn(channel=channel, topic=topic))

    # --- what is seen -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> EnrollmentState:
        return self.enrollment.state

    @property
    def at(self) -> str:
        """The step, or how the run ended."""
        return self.state.step if self.state.live else f"end:{self.state.end_status}"

    @property
    def phase(self) -> Phase:
        return self.state.phase

    @property
    def visit(self) -> int:
        return self.state.visit

    @property
    def due(self) -> datetime | None:
        return self.state.due_at

    def path(self) -> list[str]:
        """``step:word`` for every step left, in order."""
        return [f"{one.step}:{one.outcome}" for one in self.journal if one.event == "step_left"]

    def all(self, kind: type[C]) -> list[C]:
        return [one for one in self.wanted if isinstance(one, kind)]

    @property
    def planned(self) -> list[str]:
        return [one.step for one in self.all(PlanMessage)]
