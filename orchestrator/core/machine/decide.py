"""``decide``: what happens next in one enrollment. Pure: no clock, no random, no I/O, and the same answer every time.

The rules are those of the playbook language; each branch below is one of its sentences. All effects are commands in
the answer, and every change of the state is a journal line that carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from orchestrator.core.machine.commands import Decision
from orchestrator.core.machine.draft import NO_COMPUTED, DecisionDraft
from orchestrator.core.machine.enrollment import EnrollmentSnapshot
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
from orchestrator.records.enrollment import Phase

_MESSAGE_PHASES = (Phase.HANDED, Phase.LISTENING)


def decide(  # noqa: C901, PLR0912 - one arm for each happening
    playbook: Compiled,
    enrollment: EnrollmentSnapshot,
    event: EnrollmentEvent,
    facts: CustomerFacts,
    computed: Mapping[str, Computed] = NO_COMPUTED,
) -> Decision:
    """The decision for one event at ``facts.now``. An ended enrollment absorbs everything but its conversion and a
    late answer to its question.

    ``computed`` are the values the version computes from other facts.
    """
    draft = DecisionDraft(playbook, enrollment, facts, computed)
    if not enrollment.state.live:
        if isinstance(event, Signalled):
            _late_goal(draft, event)
        elif isinstance(event, Responded) and _late_answer(draft, event):
            draft.note("late_response", outcome=event.outcome)
        return draft.decision()
    match event:
        case Entered():
            draft.begin(event.since)
        case TimerDue():
            _timer(draft)
        case BeforeHandOver():
            if event.visit == enrollment.state.visit:
                draft.end_if_reason_gone()
        case HandedOver():
            _handed_over(draft, event)
        case Settled():
            _settled(draft, event)
        case Responded():
            _responded(draft, event)
        case Signalled():
            _signalled(draft, event)
        case FactsChanged():
            _facts_changed(draft)
        case ConsentWithdrawn():
            _consent_withdrawn(draft, event)
        case Erased():
            draft.end_by("erasure")
        case Frozen():
            if event.visit == enrollment.state.visit:
                draft.freeze(event.until)
        case Stopped():
            draft.end_by("stop", why=event.why)
        case _:
            assert_never(event)
    return draft.decision()


def _timer(draft: DecisionDraft) -> None:
    state = draft.state
    if state.due_at is None or state.due_at > draft.view.now:
        return
    match state.phase:
        case Phase.SCHEDULED:
            draft.begin_scheduled()
        case Phase.UNSENT:
            draft.leave_by("not_sent", withdraw=PATIENCE_OVER)
        case Phase.HANDED | Phase.LISTENING:
            draft.judge()
        case Phase.WAITING:
            _waited(draft)
        case Phase.ENDED:
            return
        case _:
            assert_never(state.phase)


def _waited(draft: DecisionDraft) -> None:
    condition = draft.view.awaited_condition()
    timeout = draft.state.timeout_at
    if condition is None:
        draft.leave_by("no_response")
    elif draft.view.holds(condition):
        draft.leave_by("met")
    elif timeout is not None and timeout > draft.view.now:
        draft.wait_for_condition(timeout)
    else:
        draft.leave_by("no_response")


def _handed_over(draft: DecisionDraft, event: HandedOver) -> None:
    if event.visit == draft.state.visit and draft.state.phase is Phase.UNSENT:
        draft.listen_from(draft.view.now, Phase.HANDED, event.channel, tracked=event.tracked)


def _settled(draft: DecisionDraft, event: Settled) -> None:
    state = draft.state
    if event.visit != state.visit or state.phase not in (Phase.UNSENT, *_MESSAGE_PHASES):
        return
    match event.outcome:
        case DeliveryOutcome.SENT | DeliveryOutcome.HELD_OUT:
            _spoken(draft, event)
        case DeliveryOutcome.TRY_AGAIN:
            draft.unsend()
        case DeliveryOutcome.BOUNCED:
            any(draft.leave_by(outcome) for outcome in ("bounced", "failed"))  # a call knows no bounce
        case DeliveryOutcome.FAILED:
            draft.leave_by("failed")
        case DeliveryOutcome.NOT_SENT:
            draft.leave_by("not_sent")
        case DeliveryOutcome.ABANDONED:
            if draft.view.step.wait is None:
                draft.judge()
        case _:
            assert_never(event.outcome)


def _spoken(draft: DecisionDraft, event: Settled) -> None:
    action = draft.view.step.action
    if isinstance(action, Call):
        draft.save_answer(action, event.answer)
        draft.leave_by("done")
        return
    if draft.state.phase is Phase.LISTENING:
        return  # said before, by a callback
    tracked = draft.state.tracked
    draft.listen_from(event.at, Phase.LISTENING, event.channel, tracked=tracked, outcome=event.outcome)


def _responded(draft: DecisionDraft, event: Responded) -> None:
    state = draft.state
    if event.visit != state.visit or state.phase not in _MESSAGE_PHASES:
        answered = _late_answer(draft, event)
        draft.note("late_response", outcome=event.outcome)
        if not draft.leave_by_any_step(event.outcome, event.detail) and answered:
            _facts_changed(draft)
        return
    draft.hear(event.outcome, event.occurred_at)
    outcome = event.outcome
    if outcome == "answered" and event.detail is not None:
        draft.save_survey(event.detail, state.step)
        if draft.view.is_negative(event.detail) and (
            draft.view.names("negative") or not draft.view.names("answered", event.detail)
        ):
            outcome = "negative"
    if outcome in draft.view.playbook.at_once(state.step, state.channel) and draft.leave_by(
        outcome, event.detail
    ):
        return
    draft.leave_by_any_step(outcome, event.detail)


def _late_answer(draft: DecisionDraft, event: Responded) -> bool:
    """Keep a late answer to a question. Whether it was kept: a step answered before is not asked anew."""
    step, answer = event.step, event.detail
    if event.outcome != "answered" or answer is None or step is None or step in draft.state.answers:
        return False
    draft.save_survey(answer, step)
    return True


def _signalled(draft: DecisionDraft, event: Signalled) -> None:
    happened = SignalOccurrence(name=event.name, occurred_at=event.occurred_at, properties=event.properties)
    names = _names(draft, happened)
    if _goal(draft, happened, names):
        draft.end_by("goal")
        return
    words = (
        draft.view.playbook.signals_heard(draft.state.step)
        if happened.occurred_at >= draft.view.since
        else frozenset()
    )
    heard = [name for name in names if name in words]  # what lies before the entry moves nobody
    if any(draft.leave_by_own(name, _closing_detail(happened)) for name in heard):
        return
    if _facts_changed(draft):  # the step's own "met" wins over at_any_step too
        return
    any(draft.leave_by_any_step(name, _closing_detail(happened)) for name in heard)


def _late_goal(draft: DecisionDraft, event: Signalled) -> None:
    happened = SignalOccurrence(name=event.name, occurred_at=event.occurred_at, properties=event.properties)
    _goal(draft, happened, _names(draft, happened))


def _goal(draft: DecisionDraft, happened: SignalOccurrence, names: tuple[str, ...]) -> bool:
    goal = draft.view.playbook.playbook.goal
    if goal is None or draft.state.converted_at is not None:
        return False
    name = next((name for name in names if name in goal.event), None)
    last = draft.view.enrollment.entered_at + goal.within.span
    if name is None or not draft.view.since <= happened.occurred_at <= last:
        return False
    draft.convert(name, happened, goal.value)
    return True


def _names(draft: DecisionDraft, happened: SignalOccurrence) -> tuple[str, ...]:
    """The playbook's own signals come first: they say more than the event they narrow."""
    view = draft.view
    own = (signal.name for signal in view.playbook.playbook.signals if matches(signal, happened, view.facts))
    return (*own, happened.name)


def _closing_detail(happened: SignalOccurrence) -> str | None:
    """The property that tells branches of a named signal apart: ``reason``, ``outcome`` or ``choice``."""
    for name in ("reason", "outcome", "choice"):
        if isinstance(happened.properties.get(name), str):
            return str(happened.properties[name])
    return None


def _facts_changed(draft: DecisionDraft) -> bool:
    """Whether new facts took the enrollment out of its step."""
    visit = draft.state.visit
    condition = draft.view.awaited_condition()
    if condition is not None and draft.view.holds(condition):
        draft.leave_by("met")
    else:
        draft.move_anchors()
    return draft.state.visit != visit


def _consent_withdrawn(draft: DecisionDraft, event: ConsentWithdrawn) -> None:
    definition = draft.view.playbook.playbook
    if event.topic not in ("*", definition.topic):
        return
    if event.channel == "*":
        if not draft.view.is_silent() and not draft.leave_by_any_step("opted_out"):
            draft.end_by("opt_out")
        return
    state = draft.state
    if not isinstance(draft.view.step.action, Send | Ask):
        return
    if state.phase is Phase.UNSENT:
        if draft.view.only_channel(event.channel):
            draft.leave_by("not_sent", withdraw=OPTED_OUT_OF_CHANNEL)
    elif state.phase in _MESSAGE_PHASES and state.channel == event.channel:
        draft.hear("negative", draft.view.now)
        draft.leave_by("negative")
