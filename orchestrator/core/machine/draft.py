"""The moves of one enrollment: entering, leaving and waiting in steps, each written down as it is made.

:class:`DecisionDraft` lives as long as one call of ``decide``: it collects commands and journal lines, and is the only
place where the state of an enrollment changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never

from orchestrator.core.machine.commands import (
    BeginCooldown,
    Command,
    Decision,
    JournalEntry,
    LiftCooldown,
    PlanMessage,
    RecordConversion,
    SetPatience,
    SetTraits,
    StartEnrollment,
    WithdrawMessage,
)
from orchestrator.core.machine.enrollment import (
    EnrollmentSnapshot,
    EnrollmentState,
    changed_state,
    ended_state,
    state_changes,
)
from orchestrator.core.machine.events import DeliveryOutcome
from orchestrator.core.machine.experiment import variant
from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.core.machine.json_values import as_json_value
from orchestrator.core.machine.reasons import run_ended, step_left
from orchestrator.core.machine.view import EnrollmentView
from orchestrator.errors import OrchestratorError
from orchestrator.language.conditions.computed import Computed
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.conditions.requirements import names_needed
from orchestrator.language.conditions.values import as_number
from orchestrator.language.graph.compile import Compiled, EndTrigger
from orchestrator.language.graph.routes import ANY, Hop
from orchestrator.language.model import (
    Ask,
    Call,
    Choose,
    Cooldown,
    End,
    Handoff,
    SameAs,
    Scalar,
    Send,
    Set,
    Split,
    Start,
    Wait,
)
from orchestrator.language.moments import Anchored, Moment
from orchestrator.language.outcomes import GO, LEDGER_OUTCOME, SPEAKING, chain
from orchestrator.records.enrollment import Phase

NO_COMPUTED: Mapping[str, Computed] = {}
LATE = timedelta(hours=24)
RECHECK = timedelta(
    hours=1
)  # how often a waited-for condition that may come true by time alone is asked again
RESULT_WITHIN = timedelta(hours=24)  # how long a step that does not listen waits to learn what became of it
MOST_MOVES = 500  # a checked playbook cannot move this often without waiting
_UNDELIVERED = frozenset({"bounced", "failed", "not_sent"})


class EndlessEnrollment(OrchestratorError):
    """An enrollment moved on and on without ever waiting: its playbook was published without the check."""


class DecisionDraft:
    def __init__(
        self,
        playbook: Compiled,
        enrollment: EnrollmentSnapshot,
        customer: CustomerFacts,
        computed: Mapping[str, Computed],
    ) -> None:
        self.view = EnrollmentView(
            playbook=playbook,
            entered=enrollment,
            state=enrollment.state,
            customer=customer,
            computed=computed,
        )
        self._commands: list[Command] = []
        self._entries: list[JournalEntry] = []
        self._logged = enrollment.state
        self._moves = 0

    @property
    def state(self) -> EnrollmentState:
        """The state as it is now, after the moves so far."""
        return self.view.state

    # --- writing down -----------------------------------------------------------------------------------------------

    def note(self, event: str, *, outcome: str | None = None, to: str | None = None) -> None:
        """One journal line carrying whatever changed since the line before."""
        changes = state_changes(self._logged, self.state)
        self._logged = self.state
        self._entries.append(
            JournalEntry(
                event=event,
                step=self.state.step,
                visit=self.state.visit,
                outcome=outcome,
                to_step=to,
                changes=changes,
            )
        )

    def decision(self) -> Decision:
        if state_changes(self._logged, self.state):
            self.note("state")
        return Decision(
            enrollment=self.view.enrollment, commands=tuple(self._commands), entries=tuple(self._entries)
        )

    def _change(self, **values: Any) -> None:
        self.view.state = changed_state(self.state, values)

    # --- entering ---------------------------------------------------------------------------------------------------

    def begin(self, since: datetime | None = None) -> None:
        """The enrollment begins. One that never speaks uses up re-entry by having begun."""
        speaks = any(self.view.playbook.kind(name) in SPEAKING for name in self.view.playbook.order)
        self._change(any_sent=not speaks, since=since)
        self.note("started")
        self.enter(self.view.playbook.first)

    def enter(self, name: str) -> None:
        """Enter a step and go on until one has to be waited for."""
        self._moves += 1
        if self._moves > MOST_MOVES:
            raise EndlessEnrollment(
                f"playbook '{self.view.playbook.playbook.name}' moved {MOST_MOVES} times without waiting, last into "
                f"'{name}'; run 'orchestrator check' on it and publish a mended version"
            )
        kind = self.view.playbook.kind(name)
        times = self.state.visits.get(name, 0)
        exhausted = kind in SPEAKING and times >= self.view.at_most(name)
        self._change(
            step=name,
            visit=self.state.visit + 1,
            phase=Phase.WAITING,
            step_entered_at=self.view.now,
            due_at=self.view.now,
            give_up_at=None,
            frozen_until=None,
            timeout_at=None,
            handed_at=None,
            channel=None,
            tracked=True,
            heard={},
            visits=self.state.visits if exhausted else {**self.state.visits, name: times + 1},
        )
        self.note("step_entered")
        if self.end_if_reason_gone():
            return
        if exhausted:
            self.leave_by("exhausted")
        elif self.view.step.at is not None:
            self._schedule(self.view.step.at)
        else:
            self._act()

    def _schedule(self, at: Moment) -> None:
        due = self.view.instant(at)
        if due is None:
            self.leave_by("missed")
        elif due > self.view.now:
            self._change(phase=Phase.SCHEDULED, due_at=due)
        else:
            self._begin_at(due)

    def begin_scheduled(self) -> None:
        """The instant a step was put off to has come, unless its anchor moved meanwhile."""
        if self.end_if_reason_gone():
            return
        if isinstance(self.view.step.at, Anchored):
            self._schedule(self.view.step.at)
        elif self.state.due_at is not None:
            self._begin_at(self.state.due_at)

    def _begin_at(self, due: datetime) -> None:
        late = self.view.instant(self.view.step.late, due) if self.view.step.late is not None else None
        if self.view.now > (late or due + LATE):
            self.leave_by("missed")
        else:
            self._act()

    def _act(self) -> None:
        step = self.view.step
        action = step.action
        match action:
            case Send() | Ask() | Handoff() | Call():
                self._freeze_offers()
                patience = action.patience if isinstance(action, Send | Ask) else None
                self._plan(patience)
            case Wait():
                self._wait(action)
            case Cooldown():
                self._cool_down(action)
            case Choose():
                self._choose(action)
            case Split():
                self._split(action)
            case Set():
                self._set(action)
                self.leave_by(GO)
            case Start():
                self._freeze_offers(value.name for _, value in action.context if isinstance(value, SameAs))
                if not self.view.entered.held_out:
                    context = {name: self._literal(value) for name, value in action.context}
                    self._commands.append(
                        StartEnrollment(playbook=action.playbook, one_of=action.one_of, context=context)
                    )
                self.note(
                    "start_held_out" if self.view.entered.held_out else "start_asked", to=action.playbook
                )
                self.leave_by(GO)
            case End():
                self._finish(action.outcome)
            case _:
                assert_never(action)

    def _plan(self, patience: Moment | None) -> None:
        default = self.view.now + timedelta(hours=self.view.customer.default_patience_hours)
        give_up = self.view.instant(patience) if patience is not None else default
        give_up = max(give_up or default, self.view.now)
        self._change(phase=Phase.UNSENT, due_at=give_up, give_up_at=give_up)
        self._commands.append(PlanMessage(step=self.state.step, visit=self.state.visit, give_up_at=give_up))
        self.note("message_planned")

    def _set(self, action: Set) -> None:
        """Wanted of the shell, and known at once to the steps that follow."""
        self._freeze_offers(value.name for _, value in action.attributes if isinstance(value, SameAs))
        wanted = SetTraits(
            attributes={name: self._literal(value) for name, value in action.attributes},
            add_tags=action.add_tags,
            remove_tags=action.remove_tags,
        )
        self._commands.append(wanted)
        self.view.customer = self.view.customer.with_traits(wanted)

    def _wait(self, action: Wait) -> None:
        if action.until is None:
            wait = self.view.step.wait
            self._rest_until(self.view.instant(wait) if wait is not None else self.view.now)
        elif isinstance(action.until, Moment):
            self._rest_until(self.view.instant(action.until))
        elif self.view.holds(action.until):
            self.leave_by("met")
        else:
            timeout = self.view.instant(self.view.step.wait) if self.view.step.wait is not None else None
            if timeout is None:
                self.leave_by("missed")
            else:
                self.wait_for_condition(timeout)

    def wait_for_condition(self, timeout: datetime) -> None:
        """Signals and attributes wake it; time alone can make a condition true too, so it is asked hourly."""
        self._change(phase=Phase.WAITING, timeout_at=timeout, due_at=min(timeout, self.view.now + RECHECK))

    def _rest_until(self, due: datetime | None) -> None:
        if due is None:
            self.leave_by("missed")
        elif due <= self.view.now:
            self.leave_by("no_response")
        else:
            self._change(phase=Phase.WAITING, due_at=due)

    def _cool_down(self, action: Cooldown) -> None:
        until = self.view.instant(action.for_)
        if until is None or until <= self.view.now:
            self.leave_by("missed" if until is None else "no_response")
            return
        definition = self.view.playbook.playbook
        value = {"topic": definition.topic, "playbook": definition.name}.get(action.scope, "*")
        self._commands.append(
            BeginCooldown(visit=self.state.visit, scope=action.scope, scope_value=value, until=until)
        )
        self._change(phase=Phase.WAITING, due_at=until)

    def _choose(self, action: Choose) -> None:
        for index, branch in enumerate(action.branches):
            if branch.if_ is not None:
                self._freeze_offers(names_needed(branch.if_, signals=self.view.signals))
            if branch.if_ is None or self.view.holds(branch.if_):
                self._go(self.view.playbook.branch(self.state.step, index), "chosen")
                return

    def _split(self, action: Split) -> None:
        chosen = variant(
            self.view.entered.subject, self.view.entered.playbook, self.state.step, action.shares
        )
        self._change(variants={**self.state.variants, self.state.step: chosen})
        self.leave_by(chosen)

    def _freeze_offers(self, names: Iterable[str] | None = None) -> None:
        frozen = self.view.offers_used(names)
        if frozen:
            self._change(offers={**self.state.offers, **frozen})

    def _literal(self, value: Scalar | SameAs) -> Any:
        return (
            as_json_value(self.view.facts.value(value.name))
            if isinstance(value, SameAs)
            else as_json_value(value)
        )

    # --- messages ---------------------------------------------------------------------------------------------------

    def listen_from(
        self,
        start: datetime,
        phase: Phase,
        channel: str,
        *,
        tracked: bool,
        outcome: DeliveryOutcome = DeliveryOutcome.SENT,
    ) -> None:
        """Count the listening time from ``start``: the hand-over mark, then the moment it really went out."""
        handed = phase is Phase.HANDED
        unheard = start + RESULT_WITHIN if handed else start
        due = self.view.instant(self.view.step.wait, start) if self.view.step.wait is not None else unheard
        self._change(
            phase=phase,
            handed_at=start,
            due_at=due or start,
            channel=channel,
            channels={**self.state.channels, self.state.step: channel},
            tracked=tracked,
            any_sent=self.state.any_sent or not handed,
        )
        if handed:
            self.note("handed_over", outcome=channel)
            return
        self.note(outcome.value, outcome=channel)
        if self.view.step.wait is None:
            self.judge()

    def unsend(self) -> None:
        """Nothing was sent: the message is planned again and patience counts on."""
        if self.state.phase is Phase.HANDED and self.state.give_up_at is not None:
            self._change(phase=Phase.UNSENT, due_at=self.state.give_up_at, handed_at=None)
            self.note("try_again")

    def freeze(self, until: datetime) -> None:
        """What is left of the unsent message's patience counts from ``until``; an earlier one thaws it."""
        state = self.state
        if state.phase is not Phase.UNSENT or state.give_up_at is None or until == state.frozen_until:
            return
        begins = max(self.view.now, state.frozen_until or self.view.now)
        give_up = until + max(state.give_up_at - begins, timedelta(0))
        self._change(due_at=give_up, give_up_at=give_up, frozen_until=until)
        self._commands.append(SetPatience(visit=state.visit, give_up_at=give_up))
        self.note("frozen")

    def hear(self, outcome: str, at: datetime) -> None:
        if outcome not in self.state.heard:
            self._change(heard={**self.state.heard, outcome: at.isoformat()})
        self.note("response", outcome=outcome)

    def judge(self) -> None:
        """The listening time is over: the most specific word that is true; a call without an answer has failed."""
        if isinstance(self.view.step.action, Call):
            self._change(any_sent=True)  # it may have been made
            self.leave_by("failed")
            return
        for outcome in self.view.playbook.judged(self.state.step, self.state.channel):
            if self.view.is_true(outcome):
                self.leave_by(outcome)
                return

    def save_survey(self, answer: str, step: str) -> None:
        self._change(answers={**self.state.answers, step: answer})
        action = (
            self.view.playbook.step(step).action if self.view.playbook.has(step) else None
        )  # a migrated enrollment's old question
        if isinstance(action, Ask) and action.saves is not None:
            self._change(saved={**self.state.saved, action.saves: answer})

    def save_answer(self, action: Call, answer: Mapping[str, Any] | None) -> None:
        new = {action.saves: dict(answer)} if action.saves is not None and answer is not None else {}
        self._change(any_sent=True, saved={**self.state.saved, **new})

    # --- leaving ----------------------------------------------------------------------------------------------------

    def leave_by(self, outcome: str, detail: str | None = None, *, withdraw: str | None = None) -> bool:
        """Follow ``outcome`` from the current step if it leads anywhere."""
        hop = self.view.hop(outcome, detail)
        if hop is None:
            return False
        self._go(hop, outcome, withdraw=withdraw)
        return True

    def leave_by_own(self, outcome: str, detail: str | None = None) -> bool:
        """Follow ``outcome`` if the step's own ``then`` names it."""
        hop = self.view.hop(outcome, detail)
        if hop is None or hop.trigger.startswith(ANY):
            return False
        self._go(hop, outcome)
        return True

    def leave_by_any_step(self, outcome: str, detail: str | None = None) -> bool:
        """Follow ``outcome``, or what a negative word becomes, if ``at_any_step`` names it."""
        for name in chain(outcome) if outcome == "negative" else (outcome,):
            hop = self.view.any_hop(name, detail)
            if hop is not None:
                self._go(hop, name)
                return True
        return False

    def _go(self, hop: Hop, outcome: str, *, withdraw: str | None = None) -> None:
        self._clear_message(withdraw or step_left(outcome), outcome, may_keep=outcome != LEDGER_OUTCOME)
        if self._rests() and outcome in self.view.playbook.signals_heard(self.state.step):
            self._commands.append(LiftCooldown(visit=self.state.visit))
        self._change(outcomes={**self.state.outcomes, self.state.step: outcome})
        entered = self.view.playbook.move(self.state.step, hop.trigger)
        self.note("step_left", outcome=outcome, to=entered)
        self.enter(entered)

    def _rests(self) -> bool:
        return isinstance(self.view.step.action, Cooldown) and self.state.phase is Phase.WAITING

    def _clear_message(self, reason: str, outcome: str, *, may_keep: bool) -> None:
        action = self.view.step.action
        if self.state.phase is Phase.HANDED and outcome not in _UNDELIVERED:
            self._change(any_sent=True)  # it may have gone out
        if self.state.phase in (Phase.UNSENT, Phase.HANDED, Phase.LISTENING):
            keep = action.keep if may_keep and isinstance(action, Send | Ask) else None
            until = (
                self.view.instant(keep) if keep is not None and self.state.phase is not Phase.UNSENT else None
            )
            self._commands.append(WithdrawMessage(visit=self.state.visit, reason=reason, keep_until=until))

    # --- ending -----------------------------------------------------------------------------------------------------

    def end_if_reason_gone(self) -> bool:
        leave = self.view.playbook.playbook.leave
        if leave is None or self.view.playbook.kind(self.state.step) == "end" or not self.view.holds(leave):
            return False
        self.end_by("leave")
        return True

    def end_by(self, trigger: EndTrigger, *, why: str | None = None) -> None:
        """Follow one of the compiler's own transitions out of a live step, to the end the machine answers."""
        end = self.view.playbook.end(self.state.step, trigger)
        self._clear_message(why or run_ended(end), end, may_keep=False)
        self._finish(end)

    def convert(self, event: str, happened: SignalOccurrence, value: str | None) -> None:
        number = as_number(happened.properties.get(value)) if value is not None else None
        self._commands.append(
            RecordConversion(
                event=event, at=happened.occurred_at, value=None if number is None else float(number)
            )
        )
        self._change(converted_at=happened.occurred_at)
        self.note("converted", outcome=event)

    def _finish(self, outcome: str) -> None:
        self._change(**ended_state(outcome, self.view.now))
        self.note("ended", outcome=outcome)

    # --- anchors ----------------------------------------------------------------------------------------------------

    def move_anchors(self) -> None:
        """An attribute moved: what is anchored on it moves with it, and has no time left when it is gone."""
        anchored = self._anchored()
        if anchored is None:
            return
        due = self.view.instant(anchored)
        if due is None:
            if self.state.phase in (Phase.SCHEDULED, Phase.WAITING):
                self.leave_by("missed")
        elif self.view.awaited_condition() is not None:
            if due != self.state.timeout_at:
                self.wait_for_condition(due)
                self.note("moved")
        elif due != self.state.due_at:
            self._change(due_at=due)
            self.note("moved")

    def _anchored(self) -> Anchored | None:
        """The moment that the state's ``due_at`` was made from, if it hangs on an anchor."""
        moment: object = None
        match self.state.phase:
            case Phase.SCHEDULED:
                moment = self.view.step.at
            case Phase.HANDED | Phase.LISTENING:
                moment = self.view.step.wait
            case Phase.WAITING if isinstance(self.view.step.action, Wait):
                until = self.view.step.action.until
                moment = until if isinstance(until, Moment) else self.view.step.wait
        return moment if isinstance(moment, Anchored) else None
