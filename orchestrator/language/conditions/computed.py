"""Computed values: numbers, texts and scores that signals.yaml derives from attributes and event history.

A value is one *rule*: a ratio of two values; a count, sum or number of different values over events within a window;
the first matching row; or a weighted score, clamped to 0..100, whose rows are conditions with points. Weights are data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, assert_never
from zoneinfo import ZoneInfo

from orchestrator.language.conditions.comparing import ratio
from orchestrator.language.conditions.evaluate import holds, measured
from orchestrator.language.conditions.facts import Facts, SignalOccurrence
from orchestrator.language.conditions.filters import passes
from orchestrator.language.conditions.requirements import events_needed, filter_names, merge, names_needed
from orchestrator.language.fields import Field
from orchestrator.language.model import Condition, Filter, Scalar, ValueType
from orchestrator.language.moments import Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """``of`` divided by ``to``, two names; missing when ``to`` is zero."""

    of: Annotated[str, Field("dotted", "the name that is divided", needs="a name")]
    to: Annotated[str, Field("dotted", "the name it is divided by", needs="a name")]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventField:
    """A property of an event."""

    event: Annotated[str, Field("name", "the event", needs="an event")]
    field: Annotated[str, Field("dotted", "its property", needs="a property")]


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedEvents:
    """Over the events of one name within a window: how many, the sum of a field, or its different values."""

    measure: Literal["times", "sum", "distinct"]
    event: str
    field: str | None = None
    within: Duration | None = None
    where: tuple[Filter, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstRow:
    """One value, and when it is the one."""

    if_: Annotated[Condition | None, Field("condition", "when this is the value; without it always")] = None
    value: Annotated[Scalar, Field("value", "the value", needs="the value of the row")]


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstOf:
    """The value of the first row whose condition holds (a row without one always does); missing if none does."""

    rows: tuple[FirstRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRow:
    """``points`` (perhaps negative) when the condition holds. ``label`` names the row in a profile."""

    if_: Annotated[Condition, Field("condition", "when the points count", needs="a condition")]
    points: Annotated[int, Field("whole", "-100 to 100", needs="a whole number", least=-100, most=100)]
    label: Annotated[str | None, Field("text", "what a profile calls the row")] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """``start`` plus the points of every true row, never below 0 or above 100."""

    rows: tuple[ScoreRow, ...]
    start: int = 0


Rule = Ratio | CountedEvents | FirstOf | Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Computed:
    name: str
    type: ValueType
    rule: Rule

    @property
    def always(self) -> bool:
        """Whether every customer has the value, so that a template needs no default."""
        return isinstance(self.rule, CountedEvents | Score)


def evaluate(computed: Computed, facts: Facts) -> Any | None:
    """The value for one customer as a JSON value or Decimal; None when missing."""
    rule = computed.rule
    match rule:
        case Ratio():
            return ratio(facts.value(rule.of), facts.value(rule.to))
        case CountedEvents():
            return measured(rule.measure, rule.field, _events(rule, facts))
        case FirstOf():
            for row in rule.rows:
                if row.if_ is None or holds(row.if_, facts):
                    return row.value
            return None
        case Score():
            return max(0, min(100, rule.start + sum(row.points for row in active_rows(rule, facts))))
        case _:
            assert_never(rule)


def active_rows(score: Score, facts: Facts) -> tuple[ScoreRow, ...]:
    """The rows of a score that count for this customer: what a profile shows as the reasons of the number."""
    return tuple(row for row in score.rows if holds(row.if_, facts))


def _events(rule: CountedEvents, facts: Facts) -> list[SignalOccurrence]:
    start = facts.now - rule.within.span if rule.within else None
    return [
        event
        for event in facts.history(rule.event)
        if (start is None or event.occurred_at > start) and passes(rule.where, event.properties, facts)
    ]


def computed_needs(computed: Computed) -> tuple[Mapping[str, timedelta | None], frozenset[str]]:
    """The events (with look-back) and the names one computed value is made from, not following other computed ones."""
    rule = computed.rule
    events: dict[str, timedelta | None] = {}
    names: set[str] = set()
    match rule:
        case Ratio():
            names.update((rule.of, rule.to))
        case CountedEvents():
            events[rule.event] = rule.within.span if rule.within else None
            names.update(filter_names(rule.where))
        case FirstOf() | Score():
            for row in rule.rows:
                if row.if_ is not None:
                    names.update(names_needed(row.if_))
                    for event, back in events_needed(row.if_).items():
                        merge(events, event, back)
        case _:
            assert_never(rule)
    return events, frozenset(names)


@dataclass(frozen=True, kw_only=True)
class WithComputed:
    """Facts that answer computed values too, each worked out at most once. ``base`` wins when it knows the name."""

    base: Facts
    computed: Mapping[str, Computed]
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def now(self) -> datetime:
        return self.base.now

    @property
    def zone(self) -> ZoneInfo:
        return self.base.zone

    @property
    def entered_at(self) -> datetime | None:
        return self.base.entered_at

    def value(self, name: str) -> Any | None:
        found = self.base.value(name)
        if found is not None or name not in self.computed:
            return found
        if name not in self._known:
            self._known[name] = None  # a value that needs itself is missing; the check refuses it
            self._known[name] = evaluate(self.computed[name], self)
        return self._known[name]

    def history(self, event: str) -> Sequence[SignalOccurrence]:
        return self.base.history(event)


def json_value(value: Any) -> Any:
    """A computed value as JSON carries it: a Decimal becomes a float or int."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
