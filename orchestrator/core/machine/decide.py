"""``decide``: what happens next in one walk. Pure: no clock, no random, no I/O, and the same answer every time.

The rules are those of the playbook language; each branch below is one of its sentences. All effects are commands in
the answer, and every change of the state is a journal line that carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from orchestrator.core.machine.commands import Decision
from orchestrator.core.machine.draft import NO_COMPUTED, DecisionDraft
from orchestrator.core.machine.enrollment import EnrollmentSnapshot, Phase
from orchestrator.core.machine.events import (
    BeforeHandOver,
    ConsentWithdrawn,
    DeliveryOutcome,
    EnrollmentEvent,
    Entered,
    Erased,
    FactsChanged,
    Frozen,
    HandedOver,
    Responded,
    Settled,
    Signalled,
    Stopped,
    TimerDue,
)
from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.core.machine.reasons import OPTED_OUT_OF_CHANNEL, PATIENCE_OVER
from orchestrator.language.conditions.computed import Computed
from orchestrator.language.conditions.evaluate import matches
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.graph.compile import Compiled
from orchestrator.language.model import Ask, Call, Send

_MESSAGE_PHASES = (Phase.HANDED, Phase.LISTENING)


def decide(  # noqa: C901, PLR0912 - one arm for each happening
    playbook: Compiled,
    enrollment: EnrollmentSnapshot,
    event: EnrollmentEvent,
    facts: CustomerFacts,
    computed: Mapping[str, Computed] = NO_COMPUTED,
) -> Decision:
    """The decision for one happening at ``facts.now``. An ended run absorbs everything but its conversion and a late
    answer to its question.

    ``computed`` are the values the version computes from other facts.
    """
    walk = DecisionDraft(playbook, enrollment, facts, computed)
    if not enrollment.state.live:
        if isinstance(event, Signalled):
            _late_goal(walk, event)
        elif isinstance(event, Responded) and _late_answer(walk, event):
            walk.note("late_response", outcome=event.outcome)
        return walk.decision()
    match event:
        case Entered():
            walk.begin(event.since)
        case TimerDue():
            _timer(walk)
        case BeforeHandOver():
            if event.visit == enrollment.state.visit:
                walk.end_if_reason_gone()
        case HandedOver():
            _handed_over(walk, event)
        case Settled():
            _settled(walk, event)
        case Responded():
            _responded(walk, event)
        case Signalled():
            _signalled(walk, event)
        case FactsChanged():
            _facts_changed(walk)
        case ConsentWithdrawn():
            _consent_withdrawn(walk, event)
        case Erased():
            walk.end_by("erasure", "erased")
        case Frozen():
            if event.visit == enrollment.state.visit:
                walk.freeze(event.until)
        case Stopped():
            walk.end_by("stop", "stopped", why=event.why)
        case _:
            assert_never(event)
    return walk.decision()


def _timer(walk: DecisionDraft) -> None:
    state = walk.state
    if state.due_at is None or state.due_at > walk.now:
        return
    match state.phase:
        case Phase.SCHEDULED:
            walk.begin_scheduled()
        case Phase.UNSENT:
            walk.leave_by("not_sent", withdraw=PATIENCE_OVER)
        case Phase.HANDED | Phase.LISTENING:
            walk.judge()
        case Phase.WAITING:
            _waited(walk)
        case Phase.ENDED:
            return
        case _:
            assert_never(state.phase)


def _waited(walk: DecisionDraft) -> None:
    condition = walk.awaited_condition()
    timeout = walk.state.timeout_at
    if condition is None:
        walk.leave_by("no_response")
    elif walk.holds(condition):
        walk.leave_by("met")
    elif timeout is not None and timeout > walk.now:
        walk.wait_for_condition(timeout)
    else:
        walk.leave_by("no_response")


def _handed_over(walk: DecisionDraft, event: HandedOver) -> None:
    if event.visit == walk.state.visit and walk.state.phase is Phase.UNSENT:
        walk.listen_from(walk.now, Phase.HANDED, event.channel, tracked=event.tracked)


def _settled(walk: DecisionDraft, event: Settled) -> None:
    state = walk.state
    if event.visit != state.visit or state.phase not in (Phase.UNSENT, *_MESSAGE_PHASES):
        return
    match event.outcome:
        case DeliveryOutcome.SENT | DeliveryOutcome.HELD_OUT:
            _spoken(walk, event)
        case DeliveryOutcome.TRY_AGAIN:
            walk.unsend()
        case DeliveryOutcome.BOUNCED:
            any(walk.leave_by(outcome) for outcome in ("bounced", "failed"))  # a call knows no bounce
        case DeliveryOutcome.FAILED:
            walk.leave_by("failed")
        case DeliveryOutcome.NOT_SENT:
            walk.leave_by("not_sent")
        case DeliveryOutcome.ABANDONED:
            if walk.step.wait is None:
                walk.judge()
        case _:
            assert_never(event.outcome)


def _spoken(walk: DecisionDraft, event: Settled) -> None:
    action = walk.step.action
    if isinstance(action, Call):
        walk.save_answer(action, event.answer)
        walk.leave_by("done")
        return
    if walk.state.phase is Phase.LISTENING:
        return  # said before, by a callback
    tracked = walk.state.tracked
    walk.listen_from(event.at, Phase.LISTENING, event.channel, tracked=tracked, outcome=event.outcome)


def _responded(walk: DecisionDraft, event: Responded) -> None:
    state = walk.state
    if event.visit != state.visit or state.phase not in _MESSAGE_PHASES:
        answered = _late_answer(walk, event)
        walk.note("late_response", outcome=event.outcome)
        if not walk.leave_by_any_step(event.outcome, event.detail) and answered:
            _facts_changed(walk)
        return
    walk.hear(event.outcome, event.occurred_at)
    outcome = event.outcome
    if outcome == "answered" and event.detail is not None:
        walk.save_survey(event.detail, state.step)
        if walk.is_negative(event.detail) and (
            walk.names("negative") or not walk.names("answered", event.detail)
        ):
            outcome = "negative"
    if outcome in walk.playbook.at_once(state.step, state.channel) and walk.leave_by(outcome, event.detail):
        return
    walk.leave_by_any_step(outcome, event.detail)


def _late_answer(walk: DecisionDraft, event: Responded) -> bool:
    """Keep an answer to a question the walk has left. Whether it was kept: a step answered before is not asked anew."""
    step, answer = event.step, event.detail
    if event.outcome != "answered" or answer is None or step is None or step in walk.state.answers:
        return False
    walk.save_survey(answer, step)
    return True


def _signalled(walk: DecisionDraft, event: Signalled) -> None:
    happened = SignalOccurrence(name=event.name, occurred_at=event.occurred_at, properties=event.properties)
    names = _names(walk, happened)
    if _goal(walk, happened, names):
        walk.end_by("goal", "converted")
        return
    words = (
        walk.playbook.signals_heard(walk.state.step) if happened.occurred_at >= walk.since else frozenset()
    )
    heard = [name for name in names if name in words]  # what lies before the walk moves nobody
    if any(walk.leave_by_own(name, _closing_detail(happened)) for name in heard):
        return
    if _facts_changed(walk):  # the step's own "met" wins over at_any_step too
        return
    any(walk.leave_by_any_step(name, _closing_detail(happened)) for name in heard)


def _late_goal(walk: DecisionDraft, event: Signalled) -> None:
    happened = SignalOccurrence(name=event.name, occurred_at=event.occurred_at, properties=event.properties)
    _goal(walk, happened, _names(walk, happened))


def _goal(walk: DecisionDraft, happened: SignalOccurrence, names: tuple[str, ...]) -> bool:
    goal = walk.playbook.playbook.goal
    if goal is None or walk.state.converted_at is not None:
        return False
    name = next((name for name in names if name in goal.event), None)
    last = walk.enrollment.entered_at + goal.within.span
    if name is None or not walk.since <= happened.occurred_at <= last:
        return False
    walk.convert(name, happened, goal.value)
    return True


def _names(walk: DecisionDraft, happened: SignalOccurrence) -> tuple[str, ...]:
    """The playbook's own signals come first: they say more than the event they narrow."""
    own = (signal.name for signal in walk.playbook.playbook.signals if matches(signal, happened, walk.facts))
    return (*own, happened.name)


def _closing_detail(happened: SignalOccurrence) -> str | None:
    """The property that tells branches of a named signal apart: ``reason``, ``outcome`` or ``choice``."""
    for name in ("reason", "outcome", "choice"):
        if isinstance(happened.properties.get(name), str):
            return str(happened.properties[name])
    return None


def _facts_changed(walk: DecisionDraft) -> bool:
    """Whether new facts took the run out of its step."""
    visit = walk.state.visit
    condition = walk.awaited_condition()
    if condition is not None and walk.holds(condition):
        walk.leave_by("met")
    else:
        walk.move_anchors()
    return walk.state.visit != visit


def _consent_withdrawn(walk: DecisionDraft, event: ConsentWithdrawn) -> None:
    definition = walk.playbook.playbook
    if event.topic not in ("*", definition.topic):
        return
    if event.channel == "*":
        if not walk.is_silent() and not walk.leave_by_any_step("opted_out"):
            walk.end_by("opt_out", "opted_out")
        return
    state = walk.state
    if not isinstance(walk.step.action, Send | Ask):
        return
    if state.phase is Phase.UNSENT:
        if walk.only_channel(event.channel):
            walk.leave_by("not_sent", withdraw=OPTED_OUT_OF_CHANNEL)
    elif state.phase in _MESSAGE_PHASES and state.channel == event.channel:
        walk.hear("negative", walk.now)
        walk.leave_by("negative")
