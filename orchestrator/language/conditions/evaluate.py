"""Answers a condition for one customer in memory. The same rules, in SQL, answer it for the whole base.

A comparison with a missing value, a value of another kind or a division by zero is false, and its ``not`` is true.
Windows are half open: ``within: 14d`` counts what occurred after ``now - 14d`` up to now. ``since: entry`` counts
what occurred after the entry, so the signal that let the customer in is not counted. ``then`` asks whether any
occurrence was followed in time; ``not_then`` asks it of the latest occurrence whose time is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import assert_never

from orchestrator.language.conditions.comparing import compare, equal, in_next_or_last, literal
from orchestrator.language.conditions.facts import Facts, SignalOccurrence
from orchestrator.language.conditions.filters import passes
from orchestrator.language.conditions.requirements import events_needed, names_needed
from orchestrator.language.conditions.resolve import resolve
from orchestrator.language.conditions.values import as_instant, as_number, as_time
from orchestrator.language.model import (
    All,
    Any,
    AtLeastOf,
    Compare,
    Condition,
    Counted,
    Dropped,
    Filter,
    FilteredSignal,
    Followed,
    Not,
)
from orchestrator.language.moments import Moment

__all__ = ["anchor_value", "events_needed", "holds", "matches", "measured", "names_needed", "reason"]

NO_SIGNALS: Mapping[str, FilteredSignal] = {}
DAY_STARTS = time(9)


def holds(
    condition: Condition,
    facts: Facts,
    *,
    signals: Mapping[str, FilteredSignal] = NO_SIGNALS,
    day_starts: time = DAY_STARTS,
) -> bool:
    """Whether ``condition`` is true of ``facts``. ``signals`` are the playbook's own filtered events."""
    return _Asked(facts, signals, day_starts).holds(condition)


def reason(
    condition: Condition,
    facts: Facts,
    *,
    signals: Mapping[str, FilteredSignal] = NO_SIGNALS,
    day_starts: time = DAY_STARTS,
) -> str | None:
    """The ``because`` template of the first true way, innermost first; None if nothing holds or gives one."""
    return _Asked(facts, signals, day_starts).reason(condition)


def matches(signal: FilteredSignal, happened: SignalOccurrence, facts: Facts) -> bool:
    """Whether one event is the playbook's own ``signal``."""
    return happened.name == signal.event and passes(signal.where, happened.properties, facts)


def anchor_value(
    name: str, facts: Facts, *, signals: Mapping[str, FilteredSignal] = NO_SIGNALS
) -> datetime | date | None:
    """What an anchor's name stands for: the entry, a date value, else the latest signal of that name."""
    if name == "entry":
        return facts.entered_at
    value = as_time(facts.value(name))
    if value is not None:
        return value
    own = signals.get(name)
    seen = facts.history(own.event if own else name)
    if own is not None:
        seen = [happened for happened in seen if passes(own.where, happened.properties, facts)]
    return seen[-1].occurred_at if seen else None


class _Asked:
    """One customer, asked about the parts of a condition."""

    def __init__(self, facts: Facts, signals: Mapping[str, FilteredSignal], day_starts: time) -> None:
        self._facts = facts
        self._signals = signals
        self._day_starts = day_starts

    def holds(self, condition: Condition) -> bool:
        match condition:
            case All():
                return all(self.holds(part) for part in condition.parts)
            case Any():
                return any(self.holds(part) for part in condition.parts)
            case Not():
                return not self.holds(condition.part)
            case AtLeastOf():
                return sum(self.holds(part) for part in condition.parts) >= condition.count
            case Compare():
                return self._compare(condition)
            case Counted():
                return self._counted(condition)
            case Dropped():
                return self._dropped(condition)
            case Followed():
                return self._followed(condition)
            case _:
                assert_never(condition)

    def reason(self, condition: Condition) -> str | None:
        if not self.holds(condition):
            return None
        if isinstance(condition, All | Any | AtLeastOf):
            for part in condition.parts:
                found = self.reason(part)
                if found is not None:
                    return found
        return condition.because

    def _compare(self, condition: Compare) -> bool:
        value = self._facts.value(condition.name)
        if condition.op in ("before", "after"):
            mine = as_time(value)
            theirs = self._instant(condition.value)
            mine_at = as_instant(mine, self._facts.zone) if mine is not None else None
            if mine_at is None or theirs is None:
                return False
            return mine_at < theirs if condition.op == "before" else mine_at > theirs
        if condition.op in ("in_next", "in_last"):
            return in_next_or_last(condition, value, self._facts)
        wanted = literal(condition.value, self._facts)
        return compare(condition.op, value, wanted)

    def _instant(self, moment: object) -> datetime | None:
        if not isinstance(moment, Moment):
            return None
        return resolve(
            moment,
            now=self._facts.now,
            zone=self._facts.zone,
            anchor=lambda name: anchor_value(name, self._facts, signals=self._signals),
            day_starts=self._day_starts,
        )

    def _events(self, name: str, where: Sequence[Filter]) -> list[SignalOccurrence]:
        """The remembered occurrences of an event or of the playbook's own signal, oldest first."""
        own = self._signals.get(name)
        event, filters = (own.event, (*own.where, *where)) if own else (name, tuple(where))
        seen = self._facts.history(event)
        return [happened for happened in seen if passes(filters, happened.properties, self._facts)]

    def _counted(self, condition: Counted) -> bool:
        since = self._since(condition)
        if condition.since is not None and since is None:
            return False
        events = self._events(condition.event, condition.where)
        if condition.within is not None:
            start = self._facts.now - condition.within.span
            events = [event for event in events if event.occurred_at > start]
        if since is not None:
            events = [event for event in events if event.occurred_at > since]
        amount = measured(condition.measure, condition.field, events)
        op = condition.op
        if condition.measure == "times" and op == "at_least" and condition.value == 0:
            op = "equals"  # times: 0 is absence
        return compare(op, amount, condition.value)

    def _since(self, condition: Counted) -> datetime | None:
        if condition.since is None:
            return None
        return self._facts.entered_at if condition.since == "entry" else self._instant(condition.since)

    def _dropped(self, condition: Dropped) -> bool:
        now, span = self._facts.now, condition.against.span
        times = [event.occurred_at for event in self._events(condition.event, condition.where)]
        recent = sum(now - span < at <= now for at in times)
        before = sum(now - 2 * span < at <= now - span for at in times)
        return before > 0 and before >= condition.minimum and recent <= before * (1 - condition.down_by)

    def _followed(self, condition: Followed) -> bool:
        span = condition.within.span
        firsts = [event.occurred_at for event in self._events(condition.event, condition.where)]
        others = [event.occurred_at for event in self._events(condition.other, ())]
        if condition.followed:
            return any(_answered(first, others, span) for first in firsts)
        over = [first for first in firsts if first + span <= self._facts.now]
        return bool(over) and not _answered(over[-1], others, span)


def _answered(first: datetime, others: Sequence[datetime], span: timedelta) -> bool:
    return any(first < other <= first + span for other in others)


def measured(measure: str, field: str | None, events: Sequence[SignalOccurrence]) -> int | Decimal:
    """How many, the sum of a field's numbers, or how many different values it had."""
    if measure == "times":
        return len(events)
    found = [event.properties.get(field or "") for event in events]
    if measure == "sum":
        return sum((number for number in map(as_number, found) if number is not None), start=Decimal(0))
    seen: list[object] = []
    for value in found:
        if value is not None and not any(equal(value, other) for other in seen):
            seen.append(value)
    return len(seen)
