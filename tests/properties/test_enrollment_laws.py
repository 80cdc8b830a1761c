"""Laws of ``decide`` that hold for every checked playbook and whatever happens, in whatever order."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.machine.commands import (
    Command,
    Decision,
    JournalEntry,
    PlanMessage,
    RecordConversion,
    WithdrawMessage,
)
from orchestrator.core.machine.decide import decide
from orchestrator.core.machine.enrollment import (
    EnrollmentSnapshot,
    EnrollmentState,
    state_from_json,
    state_to_json,
)
from orchestrator.core.machine.events import (
    BeforeHandOver,
    ConsentWithdrawn,
    DeliveryOutcome,
    EnrollmentEvent,
    Entered,
    Erased,
    FactsChanged,
    HandedOver,
    Responded,
    Settled,
    Signalled,
    Stopped,
    TimerDue,
)
from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.graph.compile import Compiled, compile_playbook
from orchestrator.language.graph.edges import reached, successors
from orchestrator.language.model import Playbook
from orchestrator.records.enrollment import Phase
from tests.properties.generated_playbooks import CHANNELS, playbooks
from tests.support.effort import examples
from tests.support.enrollment_driver import NOON, folded

WORDS = (
    "seen", "opened", "opened_by_machine", "clicked", "clicked_by_machine", "dismissed", "answered", "replied",
    "negative", "closed", "bounced", "failed",
)  # fmt: skip
EVENTS = ("call_booked", "paid", "order_cancelled", "plan_upgraded", "trial_started", "limit_reached")
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Pacific/Apia", "UTC")
dates = st.none() | st.integers(-40, 60).map(lambda days: (NOON + timedelta(days=days)).date().isoformat())


@dataclass(frozen=True)
class Deed:
    """Something that happens, told without knowing where the walk is."""

    what: str
    outcome: str = ""
    detail: str | None = None
    back: int = 0
    value: Any = None


deeds = st.one_of(
    st.just(Deed("wake")),
    st.builds(Deed, st.just("pass"), value=st.integers(0, 24 * 9)),
    st.builds(Deed, st.just("send"), outcome=st.sampled_from(CHANNELS), value=st.booleans()),
    st.builds(Deed, st.just("hand_over"), outcome=st.sampled_from(CHANNELS), back=st.integers(0, 1)),
    st.builds(
        Deed,
        st.just("settle"),
        outcome=st.sampled_from([outcome.value for outcome in DeliveryOutcome]),
        detail=st.sampled_from(CHANNELS),
        back=st.integers(0, 1),
    ),
    st.builds(
        Deed,
        st.just("respond"),
        outcome=st.sampled_from(WORDS),
        detail=st.sampled_from((None, "a", "b", "book")),
        back=st.sampled_from((0, 0, 0, 1)),
    ),
    st.builds(Deed, st.just("signal"), outcome=st.sampled_from(EVENTS), detail=st.sampled_from(("A", "B"))),
    st.builds(Deed, st.just("profile"), outcome=st.just("health"), value=st.none() | st.integers(0, 100)),
    st.builds(Deed, st.just("profile"), outcome=st.sampled_from(("renews_at", "trial_ends")), value=dates),
    st.builds(
        Deed,
        st.just("opt_out"),
        outcome=st.sampled_from(("*", "email", "sms")),
        detail=st.sampled_from(("*", "upsell", "events")),
    ),
    st.builds(Deed, st.just("before"), back=st.integers(0, 1)),
    st.sampled_from((Deed("early"), Deed("erase"), Deed("stop"))),
)  # fmt: skip
stories = st.lists(deeds, max_size=25)
people = st.fixed_dictionaries(
    {"renews_at": dates, "trial_ends": dates, "region": st.sampled_from(("DE", "US"))},
    optional={"health": st.integers(0, 100), "seats": st.integers(0, 9)},
)


@dataclass
class Tale:
    """One walk told deed by deed."""

    compiled: Compiled
    facts: CustomerFacts
    enrollment: EnrollmentSnapshot
    wanted: list[Command] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)
    gone: int = 0  # visits of entered steps seen so far

    def tell(self, event: EnrollmentEvent) -> Decision:
        before, facts_before = self.enrollment, deepcopy(self.facts)
        decision = decide(self.compiled, self.enrollment, event, self.facts)
        assert self.facts == facts_before, "decide changes no facts"
        assert decide(self.compiled, before, event, facts_before) == decision, "and always says the same"
        self.enrollment = decision.enrollment
        self.wanted += decision.commands
        self.journal += decision.entries
        self._holds(before, decision)
        return decision

    def _holds(self, before: EnrollmentSnapshot, decision: Decision) -> None:
        state, old = self.enrollment.state, before.state
        assert replace(self.enrollment, state=old) == before, "only the state moves"
        if state.live:
            assert state.due_at is not None, "nobody waits for ever"
            assert self.compiled.has(state.step)
        else:
            assert state.due_at is None
            assert state.ended_at is not None
            assert state.end_status
        if not old.live:
            kept = {"answers": old.answers, "saved": old.saved, "converted_at": old.converted_at}
            assert replace(state, **kept) == old, "an end absorbs"
            assert old.answers.items() <= state.answers.items(), "an answer is never changed by a late one"
            assert all(isinstance(command, RecordConversion) for command in decision.commands)
        entered = [entry.visit for entry in decision.entries if entry.event == "step_entered"]
        assert entered == list(range(old.visit + 1, state.visit + 1)), "each visit has a number of its own"
        assert state.any_sent or not old.any_sent, "what went out stays out"
        assert folded(self.journal) == state, "the journal adds up to the state"
        assert state_from_json(json.loads(json.dumps(state_to_json(state)))) == state

    def over_all(self) -> None:
        planned = [command.visit for command in self.wanted if isinstance(command, PlanMessage)]
        withdrawn = [command.visit for command in self.wanted if isinstance(command, WithdrawMessage)]
        assert len(planned) == len(set(planned)), "one message a visit"
        current = {self.enrollment.state.visit} if self.enrollment.state.live else set()
        assert withdrawn == [visit for visit in planned if visit not in current], "nothing is left behind"
        assert sum(isinstance(command, RecordConversion) for command in self.wanted) <= 1


def tale(
    playbook: Playbook, person: dict[str, Any], zone: str, *, held_out: bool, start: datetime = NOON
) -> Tale:
    facts = CustomerFacts(
        key="anna",
        now=start,
        zone=ZoneInfo(zone),
        attributes={name: value for name, value in person.items() if value is not None},
    )
    enrollment = EnrollmentSnapshot(
        customer_id=1, enrollment_id=1, playbook_id=1, playbook=playbook.name, subject="anna",
        entered_at=start, held_out=held_out, context={"order_id": "A"},
    )  # fmt: skip
    return Tale(compiled=compile_playbook(playbook), facts=facts, enrollment=enrollment)


def happen(told: Tale, deed: Deed) -> None:
    state, now = told.enrollment.state, told.facts.now
    match deed.what:
        case "wake":
            told.facts.now = max(now, state.due_at or now)
            told.tell(TimerDue())
        case "early":
            decision = told.tell(TimerDue())
            if state.due_at is not None and state.due_at > now:
                assert (decision.enrollment.state, decision.entries) == (state, ()), "no timer fires early"
        case "pass":
            told.facts.now = now + timedelta(hours=deed.value)
        case "signal":
            properties = {"order_id": deed.detail, "mrr_delta": 5}
            one = SignalOccurrence(name=deed.outcome, occurred_at=now, properties=properties)
            told.facts.histories.setdefault(deed.outcome, []).append(one)
            told.tell(Signalled(name=deed.outcome, occurred_at=now, properties=properties))
        case "profile":
            told.facts.attributes.pop(deed.outcome, None)
            if deed.value is not None:
                told.facts.attributes[deed.outcome] = deed.value
            told.tell(FactsChanged())
        case "opt_out":
            opt_out(told, ConsentWithdrawn(channel=deed.outcome, topic=deed.detail or "*"))
        case "erase" | "stop":
            told.tell(Erased() if deed.what == "erase" else Stopped(why="tests"))
            assert not told.enrollment.state.live
        case _:
            happen_to_a_message(told, deed)


def happen_to_a_message(told: Tale, deed: Deed) -> None:
    state, now = told.enrollment.state, told.facts.now
    visit = max(state.visit - deed.back, 0)
    match deed.what:
        case "before":
            told.tell(BeforeHandOver(visit=visit))
        case "send":
            if state.phase is Phase.UNSENT:
                told.tell(HandedOver(visit=visit, channel=deed.outcome, tracked=deed.value))
                told.tell(
                    Settled(
                        visit=visit,
                        outcome=DeliveryOutcome.SENT,
                        at=now,
                        channel=deed.outcome,
                        answer={"x": 1},
                    )
                )
        case "hand_over":
            told.tell(HandedOver(visit=visit, channel=deed.outcome))
        case "settle":
            told.tell(
                Settled(visit=visit, outcome=DeliveryOutcome(deed.outcome), at=now, channel=deed.detail or "")
            )
        case "respond":
            entered = (one.step for one in told.journal if (one.event, one.visit) == ("step_entered", visit))
            step = next(entered, None)
            told.tell(
                Responded(visit=visit, outcome=deed.outcome, detail=deed.detail, occurred_at=now, step=step)
            )
        case what:
            raise AssertionError(what)


def opt_out(told: Tale, withdrawn: ConsentWithdrawn) -> None:
    decision = told.tell(withdrawn)
    if withdrawn.channel != "*" or withdrawn.topic == "events":
        return
    state = told.enrollment.state
    if state.live:
        ahead = reached([state.step], successors(told.compiled.playbook))
        assert not [name for name in ahead if told.compiled.kind(name) in ("send", "ask")], (
            "she is left in peace"
        )
    for command in decision.commands:
        assert not isinstance(command, WithdrawMessage) or command.keep_until is None


@given(
    playbook=playbooks(), person=people, zone=st.sampled_from(ZONES), held_out=st.booleans(), story=stories
)
@settings(max_examples=examples(300))
def test_every_walk_obeys_the_laws(
    playbook: Playbook, person: dict[str, Any], zone: str, held_out: bool, story: list[Deed]
) -> None:
    told = tale(playbook, person, zone, held_out=held_out)
    assert folded([]) == EnrollmentState()
    told.tell(Entered())
    for deed in story:
        happen(told, deed)
    told.over_all()


@given(playbook=playbooks(), person=people, story=stories, answers=st.booleans())
@settings(max_examples=examples(150))
def test_every_walk_ends_by_time_alone(
    playbook: Playbook, person: dict[str, Any], story: list[Deed], answers: bool
) -> None:
    """Whatever happened before: with nobody doing anything any more, timers alone lead every walk to its end."""
    told = tale(playbook, person, "Europe/Berlin", held_out=False)
    told.tell(Entered())
    for deed in story:
        happen(told, deed)
    for _ in range(5000):
        if not told.enrollment.state.live:
            break
        if answers:
            happen(told, Deed("send", outcome="email", value=True))
        happen(told, Deed("wake"))
    assert not told.enrollment.state.live
    told.over_all()


@given(playbook=playbooks(), person=people, story=stories, weeks=st.integers(1, 200))
@settings(max_examples=examples(100))
def test_a_walk_knows_no_time_but_the_one_it_is_told(
    playbook: Playbook, person: dict[str, Any], story: list[Deed], weeks: int
) -> None:
    """The same story whole weeks later is the same walk, moved by these weeks (where no clock is ever changed)."""
    span = timedelta(weeks=weeks)

    def moved(value: Any, name: str) -> Any:
        if value is None or name not in ("renews_at", "trial_ends"):
            return value
        return (datetime.fromisoformat(value) + span).date().isoformat()

    first = tale(playbook, person, "UTC", held_out=False)
    later_person = {name: moved(value, name) for name, value in person.items()}
    later = tale(playbook, later_person, "UTC", held_out=False, start=NOON + span)
    first.tell(Entered())
    later.tell(Entered())
    for deed in story:
        happen(first, deed)
        happen(later, replace(deed, value=moved(deed.value, deed.outcome)))
        mine, other = first.enrollment.state, later.enrollment.state
        assert (mine.step, mine.visit, mine.phase, mine.end_status) == (
            other.step, other.visit, other.phase, other.end_status,
        )  # fmt: skip
        assert (mine.due_at is None) == (other.due_at is None)
        if mine.due_at is not None and other.due_at is not None:
            assert mine.due_at + span == other.due_at
    assert [type(command) for command in first.wanted] == [type(command) for command in later.wanted]
