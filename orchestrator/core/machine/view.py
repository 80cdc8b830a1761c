"""What a decision sees of an enrollment: its playbook, its state and the customer's facts, before it moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from orchestrator.core.machine.enrollment import EnrollmentSnapshot, EnrollmentState
from orchestrator.core.machine.facts import CustomerFacts, EnrollmentFacts
from orchestrator.core.machine.json_values import as_json_value
from orchestrator.language.conditions.computed import Computed, WithComputed
from orchestrator.language.conditions.evaluate import anchor_value, holds
from orchestrator.language.conditions.facts import Facts
from orchestrator.language.conditions.resolve import resolve
from orchestrator.language.graph.compile import Compiled
from orchestrator.language.graph.edges import reached, successors
from orchestrator.language.graph.routes import Hop, any_hops
from orchestrator.language.model import Ask, Condition, FilteredSignal, Send, Step, Wait
from orchestrator.language.moments import Moment
from orchestrator.language.outcomes import LEDGER_OUTCOME, SPEAKING
from orchestrator.records.enrollment import Phase

# What a person does about a message: who did one of these has not "seen it and done nothing".
_ACTIONS = frozenset({"answered", "clicked", "replied", "negative", "dismissed"})


@dataclass(kw_only=True, slots=True)
class EnrollmentView:
    """One enrollment of one customer at ``customer.now``, as the moves of one decision leave it."""

    playbook: Compiled
    entered: EnrollmentSnapshot  # as it was before the decision
    state: EnrollmentState
    customer: CustomerFacts
    computed: Mapping[str, Computed]

    @property
    def enrollment(self) -> EnrollmentSnapshot:
        """With the state as it is now."""
        return self.entered if self.state is self.entered.state else replace(self.entered, state=self.state)

    @property
    def now(self) -> datetime:
        return self.customer.now

    @property
    def since(self) -> datetime:
        """From when on what the customer does belongs to this enrollment."""
        return self.state.since or self.entered.entered_at

    @property
    def step(self) -> Step:
        return self.playbook.step(self.state.step)

    @property
    def facts(self) -> Facts:
        facts = EnrollmentFacts(customer=self.customer, enrollment=self.enrollment)
        return WithComputed(base=facts, computed=self.computed) if self.computed else facts

    @property
    def signals(self) -> Mapping[str, FilteredSignal]:
        """The playbook's own names for filtered events."""
        return {signal.name: signal for signal in self.playbook.playbook.signals}

    def holds(self, condition: Condition) -> bool:
        return holds(condition, self.facts, signals=self.signals, day_starts=self.customer.day_starts)

    def instant(self, moment: Moment, now: datetime | None = None) -> datetime | None:
        return resolve(
            moment,
            now=now or self.now,
            zone=self.customer.zone,
            anchor=self._anchor,
            day_starts=self.customer.day_starts,
        )

    def _anchor(self, name: str) -> datetime | date | None:
        if name == "arrival":
            return self.state.step_entered_at
        return anchor_value(name, self.facts, signals=self.signals)

    def offers_used(self, names: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
        """The first true row of each offer that is not frozen yet and that ``names`` (None: anything) may use."""
        used = None if names is None else {name.split(".")[1] for name in names if name.startswith("offer.")}
        found: dict[str, dict[str, Any]] = {}
        for offer in self.playbook.playbook.offers:
            if offer.name in self.state.offers or (used is not None and offer.name not in used):
                continue
            row = next((row for row in offer.rows if row.if_ is None or self.holds(row.if_)), None)
            found[offer.name] = {name: as_json_value(value) for name, value in row.facts} if row else {}
        return found

    # --- words ------------------------------------------------------------------------------------------------------

    def hop(self, outcome: str, detail: str | None = None) -> Hop | None:
        """Where ``outcome`` leads from the current step."""
        return self.playbook.route(
            self.state.step, self.state.channel, outcome, detail, exhausted=self.exhausted()
        )

    def any_hop(self, outcome: str, detail: str | None = None) -> Hop | None:
        """Where ``at_any_step`` leads ``outcome`` from here."""
        return self.playbook.any_step(self.state.step, outcome, detail, exhausted=self.exhausted())

    def names(self, outcome: str, detail: str | None = None) -> bool:
        """Whether ``outcome`` itself, not what it becomes, leads anywhere from here."""
        hop = self.hop(outcome, detail)
        return hop is not None and hop.outcome_used == outcome

    def exhausted(self) -> frozenset[str]:
        """The steps this enrollment may not enter again."""
        return frozenset(
            name
            for name, times in self.state.visits.items()
            if self.playbook.has(name)
            and self.playbook.kind(name) in SPEAKING
            and times >= self.at_most(name)
        )

    def at_most(self, step: str) -> int:
        return self.playbook.step(step).at_most or 1

    def is_negative(self, answer: str) -> bool:
        action = self.step.action
        return isinstance(action, Ask) and answer in action.negative

    def is_true(self, outcome: str) -> bool:
        """Whether a word that is judged when the wait ends holds of what was heard."""
        heard = self.state.heard
        match outcome:
            case "seen_no_action":
                return "seen" in heard and not _ACTIONS & set(heard)
            case "opened_no_click":
                return self.state.tracked and "opened" in heard and "clicked" not in heard
            case "unknown":
                if self.entered.held_out or "clicked" in heard or "opened" in heard:
                    return False
                return not self.state.tracked or "opened_by_machine" in heard
            case _:
                return outcome == "no_response"

    # --- opting out -------------------------------------------------------------------------------------------------

    def only_channel(self, channel: str) -> bool:
        """Whether the current message has no other channel left to go out on."""
        action = self.step.action
        if not isinstance(action, Send | Ask):
            return False
        if action.channel != ("preferred",):
            return set(action.channel) <= {channel}
        among = action.among if isinstance(action, Send) else ()
        return bool(among) and set(among) <= {channel}

    def is_silent(self) -> bool:
        """Whether the enrollment is already where ``at_any_step: {opted_out: ...}`` leads: steps that cannot speak."""
        routes = [route for route in self.playbook.playbook.at_any_step if route.outcome == LEDGER_OUTCOME]
        silent = [hop.to for hop in any_hops(routes)]
        return self.state.step in reached(silent, successors(self.playbook.playbook))

    # --- waiting ----------------------------------------------------------------------------------------------------

    def awaited_condition(self) -> Condition | None:
        """The condition this step waits for, if it waits for one and has begun to."""
        action = self.step.action
        if (
            self.state.phase is Phase.WAITING
            and isinstance(action, Wait)
            and action.until is not None
            and not isinstance(action.until, Moment)
        ):
            return action.until
        return None
