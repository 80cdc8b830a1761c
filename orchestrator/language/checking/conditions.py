"""Checks conditions against the declared names and types."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from orchestrator.language.checking.anchors import check_anchor
from orchestrator.language.checking.context import Checking, Keys
from orchestrator.language.conditions.requirements import RUN_ANCHORS, leaves
from orchestrator.language.model import (
    Ask,
    Compare,
    Condition,
    Counted,
    Dropped,
    Filter,
    Followed,
    Percent,
    SameAs,
    Scalar,
    Split,
)
from orchestrator.language.moments import Anchored
from orchestrator.language.problems import did_you_mean, one_of, shown
from orchestrator.language.templates import RUN_FACTS

_NUMBERS = ("number", "money", "percent")
_ORDERED = ("at_least", "at_most", "more_than", "less_than")
_DATED = ("in_next", "in_last", "before", "after")
_STATES = ("live", "ended", "never")


def check_condition(checking: Checking, condition: Condition, where: Keys, what: str) -> None:
    for leaf in leaves(condition):
        place = _deepest(checking, leaf, where)
        match leaf:
            case Compare():
                _check_compare(checking, leaf, place, what)
            case Counted():
                if _check_event(checking, leaf.event, place, what):
                    check_filters(checking, leaf.event, leaf.where, place, what)
                    _check_field(checking, leaf, place, what)
                if isinstance(leaf.since, Anchored):
                    check_anchor(checking, leaf.since, place, what)
            case Dropped():
                if _check_event(checking, leaf.event, place, what):
                    check_filters(checking, leaf.event, leaf.where, place, what)
            case Followed():
                if _check_event(checking, leaf.event, place, what):
                    check_filters(checking, leaf.event, leaf.where, place, what)
                _check_event(checking, leaf.other, place, what)


def _deepest(checking: Checking, leaf: Compare | Counted | Dropped | Followed, where: Keys) -> Keys:
    """The keys of the name inside the condition, found by walking what was written."""
    name = leaf.name if isinstance(leaf, Compare) else leaf.event
    found = _find(checking, name, where, 0)
    return found or where


def _find(checking: Checking, name: str, where: Keys, depth: int) -> Keys | None:
    place = checking.place(*where)
    if checking.place(*where, name) != place:
        return (*where, name)
    if depth > 12:
        return None
    for key in ("any", "all", "of", "not"):
        inner = (*where, key)
        if checking.place(*inner) == place:
            continue
        rows: Iterable[Keys] = (
            [inner] if key == "not" else [(*inner, n) for n in range(_length(checking, inner))]
        )
        for row in rows:
            found = _find(checking, name, row, depth + 1)
            if found is not None:
                return found
    return None


def _length(checking: Checking, where: Keys) -> int:
    count, last = 0, checking.place(*where)
    while count < 200 and checking.place(*where, count) != last:
        count += 1
    return count


def check_name(checking: Checking, name: str, where: Keys, what: str) -> str | None:
    """The type of a value's name; None, perhaps with a problem, when it has none."""
    kind = checking.context.get(name) or checking.vocabulary.type_of(name)
    if kind is not None or name in checking.saved:
        return kind
    if name in RUN_ANCHORS:
        return "time"
    head, dot, tail = name.partition(".")
    if dot and head in checking.saved:
        return None
    if dot and head in RUN_FACTS and head != "account":
        return _run_fact(checking, head, tail, where, what)
    if name in checking.signals:
        checking.error(where, f"{what}: {shown(name)} is an event: ask {{{name}: {{times: 1, within: 14d}}}}")
        return None
    hint = did_you_mean(name, checking.values) or "; declare it in signals.yaml"
    checking.error(where, f"{what}: {shown(name)} is no declared name{hint}")
    return None


def _run_fact(checking: Checking, head: str, tail: str, where: Keys, what: str) -> str | None:
    if head == "playbook":
        return "text"
    if head == "offer":
        offer_name, _, fact = tail.partition(".")
        offer = next((one for one in checking.playbook.offers if one.name == offer_name), None)
        facts = {name for row in offer.rows for name, _ in row.facts} if offer else set()
        if offer is None or (fact and fact not in facts):
            known = [
                f"{one.name}.{name}"
                for one in checking.playbook.offers
                for row in one.rows
                for name, _ in row.facts
            ]
            checking.error(where, f"{what}: {shown(f'offer.{tail}')} is no offer{did_you_mean(tail, known)}")
        return None
    step = checking.steps.get(tail)
    if step is None:
        checking.error(
            where,
            f"{what}: {shown(f'{head}.{tail}')}: {shown(tail)} is no step{did_you_mean(tail, checking.steps)}",
        )
    elif head == "answer" and not isinstance(step.action, Ask):
        checking.error(where, f"{what}: {shown(f'{head}.{tail}')}: step '{tail}' asks nothing")
    elif head == "variant" and not isinstance(step.action, Split):
        checking.error(where, f"{what}: {shown(f'{head}.{tail}')}: step '{tail}' splits nothing")
    return "number" if head == "visits" else None if head == "answer" else "text"


def _check_compare(checking: Checking, leaf: Compare, where: Keys, what: str) -> None:
    kind = check_name(checking, leaf.name, where, what)
    if isinstance(leaf.value, SameAs):
        check_name(checking, leaf.value.name, where, what)
    if isinstance(leaf.value, Anchored):
        check_anchor(checking, leaf.value, where, what)
    if leaf.name.startswith("playbook.") and leaf.op in ("equals", "in"):
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        wrong = [str(value) for value in values if value not in _STATES]
        if wrong:
            checking.error(where, f"{what}: {leaf.name} is {one_of(_STATES)}, got {shown(wrong[0])}")
    if kind is not None:
        check_type(checking, leaf, kind, where, what)


def check_type(checking: Checking, asked: Compare | Filter, kind: str, where: Keys, what: str) -> None:
    """Whether an operator and its literal fit the declared type."""
    said = f"{what}: {shown(asked.name)} is a {kind}"
    if asked.op in _ORDERED and kind not in _NUMBERS:
        hint = "; compare dates with before, after, in_next or in_last" if kind in ("date", "time") else ""
        checking.error(where, f"{said}, '{asked.op}' is for numbers{hint}")
        return
    if asked.op in _DATED and kind not in ("date", "time"):
        checking.error(where, f"{said}, '{asked.op}' is for dates and times")
        return
    if asked.op == "contains" and kind not in ("text", "list"):
        checking.error(where, f"{said}, 'contains' is for texts and lists")
        return
    if asked.op in ("equals", "in", *_ORDERED):
        values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
        for value in values:
            wrong = _misfit(value, kind)
            if wrong:
                checking.error(where, f"{said}, {wrong}")


def _misfit(value: object, kind: str) -> str | None:
    if not isinstance(value, str | int | Decimal | bool):
        return None
    if kind == "percent" and not isinstance(value, Percent):
        if isinstance(value, int) and not isinstance(value, bool):
            return f"got {value}: write {value}%"
        return f"expected a percent such as 80%, got {_shown(value)}"
    if kind in ("number", "money") and (isinstance(value, bool | str | Percent)):
        return f"expected a number, got {_shown(value)}"
    if kind == "flag" and not isinstance(value, bool):
        return f"expected true or false, got {_shown(value)}"
    if kind in ("text", "date", "time") and not isinstance(value, str):
        return f"expected a text, got {_shown(value)}: quote it"
    return None


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else shown(value)


def _check_event(checking: Checking, name: str, where: Keys, what: str) -> bool:
    if name in checking.signals:
        return True
    if checking.vocabulary.type_of(name) is not None or name in checking.values:
        checking.error(where, f"{what}: {shown(name)} is a value, not an event: it has no history to count")
        return False
    hint = did_you_mean(name, checking.signals) or "; declare it under 'events' in signals.yaml"
    checking.error(where, f"{what}: {shown(name)} is no declared event{hint}")
    return False


def check_filters(checking: Checking, event: str, filters: Iterable[Filter], where: Keys, what: str) -> None:
    """``where`` of an event: its declared properties, with fitting types."""
    known = dict(_properties(checking, event))
    for one in filters:
        place = (*where, "where", one.name)
        if known and one.name not in known:
            hint = did_you_mean(one.name, known) or f"; it has {one_of(known)}"
            checking.error(place, f"{what}: {shown(one.name)} is no property of {event}{hint}")
        elif one.name in known:
            check_type(checking, one, known[one.name], place, what)
        if isinstance(one.value, SameAs):
            check_name(checking, one.value.name, place, what)


def _check_field(checking: Checking, leaf: Counted, where: Keys, what: str) -> None:
    known = dict(_properties(checking, leaf.event))
    if leaf.field is None or not known:
        return
    if leaf.field not in known:
        checking.error(
            where,
            f"{what}: {shown(leaf.field)} is no property of {leaf.event}{did_you_mean(leaf.field, known)}",
        )
    elif leaf.measure == "sum" and known[leaf.field] not in _NUMBERS:
        checking.error(where, f"{what}: {shown(leaf.field)} is a {known[leaf.field]}, a sum needs numbers")


def _properties(checking: Checking, event: str) -> Iterable[tuple[str, str]]:
    own = checking.own_signals.get(event)
    known = checking.vocabulary.event_named.get(own.event if own else event)
    return known.properties if known else ()
