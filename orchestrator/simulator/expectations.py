"""What a playbook hopes for, read from its model: so that any playbook can be rehearsed, not only the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.language.model import ELSE, EVERY_OUTCOME, Filter, Playbook, Route, SameAs
from orchestrator.language.outcomes import RESERVED_OUTCOMES
from orchestrator.simulator.seeded_choice import SeededChoice


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """One signal a playbook listens for, with the properties that make it the one that is meant."""

    event: str
    fixed: tuple[tuple[str, Any], ...] = ()
    from_context: tuple[tuple[str, str], ...] = ()  # property, name of the context field
    value: str | None = None

    def properties(self, context: Mapping[str, Any], fates: SeededChoice, *about: object) -> dict[str, Any]:
        facts = dict(self.fixed)
        facts |= {name: context.get(field) for name, field in self.from_context}
        if self.value:
            facts[self.value] = fates.whole(2, 45, *about, "value") * 10
        return facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectations:
    """A playbook as the crowd sees it."""

    playbook: str
    entry: tuple[str, ...]
    by_product: bool  # nothing starts it but the product's own call
    context: tuple[tuple[str, str], ...]
    goals: tuple[Cue, ...]
    cues: Mapping[str, tuple[Cue, ...]]  # step: signals it listens for, the goal's not among them
    endings: Mapping[str, tuple[str, ...]]  # step: how a hand-over may be closed

    def invented_context(self, at: datetime, fates: SeededChoice, *about: object) -> dict[str, Any]:
        """Values of the declared types, for a start that nobody reported."""
        return {name: _invented(kind, at, fates, *about, name) for name, kind in self.context}


def story_of(playbook: Playbook) -> Expectations:
    goals = playbook.goal.event if playbook.goal else ()
    value = playbook.goal.value if playbook.goal else None
    enter = playbook.enter
    return Expectations(
        playbook=playbook.name,
        entry=tuple(_cue(playbook, name).event for name in enter.when),
        by_product=not (enter.when or enter.every or enter.calendar),
        context=playbook.context,
        goals=tuple(_cue(playbook, name, value) for name in goals),
        cues={
            step.name: tuple(
                _cue(playbook, outcome)
                for outcome in _words((*step.then, *playbook.at_any_step))
                if outcome not in goals
            )
            for step in playbook.steps
        },
        endings={step.name: _endings(step.then) for step in playbook.steps},
    )


def _words(routes: tuple[Route, ...]) -> list[str]:
    return [
        outcome
        for outcome in dict.fromkeys(route.outcome for route in routes)
        if outcome not in RESERVED_OUTCOMES and outcome != EVERY_OUTCOME
    ]


def _endings(routes: tuple[Route, ...]) -> tuple[str, ...]:
    return tuple(
        key for route in routes if route.outcome == "closed" for key, _ in route.choices if key != ELSE
    )


def _cue(playbook: Playbook, name: str, value: str | None = None) -> Cue:
    own = next((signal for signal in playbook.signals if signal.name == name), None)
    if own is None:
        return Cue(event=name, value=value)
    equal = [part for part in own.where if part.op == "equals"]
    return Cue(
        event=own.event,
        fixed=tuple((part.name, part.value) for part in equal if not isinstance(part.value, SameAs)),
        from_context=tuple(_copied(equal)),
        value=value,
    )


def _copied(parts: list[Filter]) -> list[tuple[str, str]]:
    return [(part.name, part.value.name) for part in parts if isinstance(part.value, SameAs)]


def _invented(kind: str, at: datetime, fates: SeededChoice, *about: object) -> Any:
    match kind:
        case "number" | "money":
            return fates.whole(1, 400, *about)
        case "percent":
            return fates.whole(1, 100, *about) / 100
        case "flag":
            return fates.chance(0.5, *about)
        case "date":
            return (at + timedelta(days=fates.whole(1, 40, *about))).date().isoformat()
        case "time":
            return (at + timedelta(days=fates.whole(1, 40, *about))).isoformat()
        case _:
            return f"{about[-1]}-{fates.whole(1, 9999, *about)}"
