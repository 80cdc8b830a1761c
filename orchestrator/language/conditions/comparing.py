"""Compares two JSON values by the rules of the language: kinds never mix, and what is missing is never equal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from orchestrator.language.conditions.facts import Facts
from orchestrator.language.conditions.values import as_number, as_time, local_day
from orchestrator.language.model import Compare, CompareOp, SameAs
from orchestrator.language.moments import Duration


def literal(value: Any, facts: Facts) -> Any:
    """The value a condition is compared with: a literal, or what ``same_as`` names."""
    return facts.value(value.name) if isinstance(value, SameAs) else value


def compare(op: CompareOp, value: Any, wanted: Any) -> bool:
    """``value op wanted`` for every operator that needs no clock."""
    match op:
        case "present":
            return value is not None
        case "missing":
            return value is None
        case "equals":
            return equal(value, wanted)
        case "in":
            options = wanted if isinstance(wanted, tuple | list) else (wanted,)
            return any(equal(value, option) for option in options)
        case "contains":
            return _contains(value, wanted)
        case _:
            return _ordered(op, value, wanted)


def equal(value: Any, wanted: Any) -> bool:
    if value is None or wanted is None:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    mine, theirs = as_number(value), as_number(wanted)
    if mine is not None or theirs is not None:
        return mine is not None and theirs is not None and mine == theirs
    if isinstance(value, str) and isinstance(wanted, str):
        return value == wanted
    first, second = as_time(value), as_time(wanted)
    if first is not None and second is not None and type(first) is type(second):
        return first == second
    return type(value) is type(wanted) and bool(value == wanted)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    if isinstance(value, Sequence):
        return any(equal(item, wanted) for item in value)
    return False


def _ordered(op: CompareOp, value: Any, wanted: Any) -> bool:
    first, second = as_number(value), as_number(wanted)
    if first is None or second is None:
        return False
    answers = {
        "at_least": first >= second,
        "at_most": first <= second,
        "more_than": first > second,
        "less_than": first < second,
    }
    return answers.get(op, False)


def in_next_or_last(condition: Compare, value: Any, facts: Facts) -> bool:
    """``in_next``/``in_last``: a date by calendar days in the customer's zone, an instant to the second."""
    span = condition.value
    mine = as_time(value)
    if mine is None or not isinstance(span, Duration):
        return False
    ahead = condition.op == "in_next"
    try:
        if isinstance(mine, datetime):
            edge = facts.now + span.span if ahead else facts.now - span.span
            return facts.now <= mine <= edge if ahead else edge <= mine <= facts.now
        today = local_day(facts.now, facts.zone)
        if today is None:
            return False
        days = timedelta(days=span.span.days)
        return today <= mine <= today + days if ahead else today - days <= mine <= today
    except OverflowError:
        return False


def ratio(of: Any, to: Any) -> Decimal | None:
    """``of / to``; None when either is no number or ``to`` is zero."""
    above, below = as_number(of), as_number(to)
    if above is None or below is None or below == 0:
        return None
    return above / below
