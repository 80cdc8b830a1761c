"""The model as the plain values an author would have written: what every writer starts from.

Fixed fields are dicts. A mapping whose keys the author chose and whose order counts (steps, words, answers, variants)
is an :class:`OrderedFields`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any as Value
from typing import assert_never

from orchestrator.language.conditions.computed import Computed, CountedEvents, FirstOf, Ratio, Score
from orchestrator.language.fields import DeclaredField, alone_in, groups
from orchestrator.language.model import (
    ACTIONS,
    EVERY_OUTCOME,
    Action,
    All,
    Any,
    AtLeastOf,
    Compare,
    Condition,
    Counted,
    Dropped,
    FallbackChannel,
    Filter,
    Followed,
    Not,
    Offer,
    Percent,
    Playbook,
    QuietWindow,
    Reentry,
    RegionHours,
    Route,
    SameAs,
    Step,
    Wait,
    percent_text,
)
from orchestrator.language.moments import Ago, Anchored, ClockTime, Duration

Plain = Value


class OrderedFields(tuple[tuple[str, Value], ...]):
    """Pairs of key and value, written as a mapping."""

    __slots__ = ()


def plain_playbook(book: Playbook) -> dict[str, Plain]:
    """Every field that differs from its default, in the order of the reference."""
    return _fields(book)


def plain_step(one: Step) -> dict[str, Plain]:
    """A step without its name."""
    return {**plain_action(one.action), **_fields(one)}


def plain_action(action: Action) -> dict[str, Plain]:
    """The step's one action under its key; nothing for a plain wait."""
    if action == Wait():
        return {}
    return {key: plain_block(action) for key, kind in ACTIONS.items() if isinstance(action, kind)}


# --- declared fields ------------------------------------------------------------------------------------------------


def plain_block(value: Plain) -> Plain:
    """A block as its fields, or as the one value that stands for it."""
    alone, fields = alone_in(type(value)), _fields(value)
    return fields[alone.key] if alone is not None and list(fields) == [alone.key] else fields


def _fields(value: Plain) -> dict[str, Plain]:
    """What a block's fields hold; one that holds its default is not written."""
    found: dict[str, Plain] = {}
    for head, group in groups(type(value)).items():
        held = {key: (one, getattr(value, one.attribute)) for key, one in group.items()}
        written = {key: _written(one, inner) for key, (one, inner) in held.items() if inner != one.default}
        if written:
            found[head] = written.get("", written)
    return found


def _written(one: DeclaredField, value: Plain) -> Plain:  # noqa: C901, PLR0912 - the closed list of spellings
    """How a declared field is written."""
    match one.field.spelling:
        case "name" | "channel" | "ending" | "dotted" | "text" | "whole" | "flag" | "clock" | "choice":
            return value
        case "duration" | "moment" | "kept" | "date":
            return str(value)
        case "value":
            return scalar(value)
        case "percent":
            return percent_text(value)
        case "names" | "channel_list" | "answer_keys" | "weekdays":
            return list(value)
        case "events" | "channels":
            return value[0] if len(value) == 1 else list(value)
        case "types" | "answers" | "texts" | "links":
            return OrderedFields(value)
        case "values":
            return _literals(value)
        case "shares":
            return OrderedFields((name, percent_text(share)) for name, share in value)
        case "regions":
            return OrderedFields(
                (region, plain_block(RegionHours(from_=start, until=end))) for region, (start, end) in value
            )
        case "filters":
            return where(value)
        case "condition":
            return condition(value)
        case "until":
            moment = isinstance(value, Duration | ClockTime | Anchored | Ago)
            return str(value) if moment else condition(value)
        case "scale":
            return f"{value[0]}-{value[1]}"
        case "capped":
            return plain_block(value) if isinstance(value, FallbackChannel) else value
        case "then" | "routes":
            return _routes(value)
        case "reentry":
            return "never" if value == Reentry() else plain_block(value)
        case "one_per":
            return "account" if value == ("*",) else {"account": list(value)}
        case "branches" | "rows":
            return [plain_block(row) for row in value]
        case "named":
            return OrderedFields((block.name, plain_block(block)) for block in value)
        case "offers":
            return OrderedFields((offer.name, _rows(offer)) for offer in value)
        case "quiet_hours":
            return _quiet_hours(value)
        case "steps":
            return OrderedFields((step.name, plain_step(step)) for step in value)
        case "block":
            return plain_block(value)
        case _:
            assert_never(one.field.spelling)


def _routes(routes: tuple[Route, ...]) -> Plain:
    if len(routes) == 1 and routes[0].outcome == EVERY_OUTCOME:
        return routes[0].to
    return OrderedFields(
        (route.outcome, route.to if route.to is not None else OrderedFields(route.choices))
        for route in routes
    )


def _rows(offer: Offer) -> list[Plain]:
    return [
        OrderedFields((*([("if", condition(row.if_))] if row.if_ else []), *_literals(row.facts)))
        for row in offer.rows
    ]


def _quiet_hours(windows: tuple[QuietWindow, ...]) -> OrderedFields:
    rows: dict[str, list[Plain]] = {}
    for window in windows:
        rows.setdefault(window.channel, []).append(plain_block(window))
    return OrderedFields((channel, found[0] if len(found) == 1 else found) for channel, found in rows.items())


def _given(**fields: Plain) -> dict[str, Plain]:
    """The fields that hold anything; a trailing underscore stands for a name that Python keeps for itself."""
    return {
        key.removesuffix("_"): value
        for key, value in fields.items()
        if value is not None and value not in ([], {}, ())
    }


def _text(value: Plain) -> Plain:
    return None if value is None else str(value)


def scalar(value: Plain) -> Plain:
    """A literal as written: a percent with its sign, the rest as it is."""
    if isinstance(value, SameAs):
        return {"same_as": value.name}
    if isinstance(value, Percent):
        return str(value)
    if isinstance(value, Duration | ClockTime | Anchored | Ago):
        return str(value)
    if isinstance(value, tuple):
        return [scalar(one) for one in value]
    return value


def _literals(pairs: Iterable[tuple[str, Plain]]) -> OrderedFields:
    return OrderedFields((name, scalar(value)) for name, value in pairs)


# --- conditions -----------------------------------------------------------------------------------------------------


def condition(asked: Condition) -> dict[str, Plain]:
    """A condition; its ``because`` comes last."""
    return {**_body(asked), **_given(because=asked.because)}


def _body(asked: Condition) -> dict[str, Plain]:
    match asked:
        case All():
            return {"all": [condition(part) for part in asked.parts]}
        case Any():
            return {"any": [condition(part) for part in asked.parts]}
        case Not():
            return {"not": condition(asked.part)}
        case AtLeastOf():
            return {"at_least": asked.count, "of": [condition(part) for part in asked.parts]}
        case Compare():
            return {asked.name: _comparison(asked.op, asked.value)}
        case Counted():
            return {asked.event: _counted(asked)}
        case Dropped():
            return {
                asked.event: _given(
                    down_by=percent_text(asked.down_by),
                    against=str(asked.against),
                    from_=asked.minimum if asked.minimum != 1 else None,
                    where=where(asked.where),
                )
            }
        case Followed():
            key = "then" if asked.followed else "not_then"
            return {
                asked.event: _given(**{key: asked.other}, within=str(asked.within), where=where(asked.where))
            }
        case _:
            assert_never(asked)


def _comparison(op: str, value: Plain) -> Plain:
    if op in ("present", "missing"):
        return op
    if op in ("equals", "in"):
        return scalar(value)
    return {op: scalar(value)}


def _counted(asked: Counted) -> dict[str, Plain]:
    window = _given(within=_text(asked.within), since=_text(asked.since), where=where(asked.where))
    amount = int(asked.value) if asked.value == asked.value.to_integral_value() else asked.value
    if asked.measure == "times":
        return {"times": amount, **window}
    return {asked.measure: asked.field, asked.op: amount, **window}


def where(filters: tuple[Filter, ...]) -> OrderedFields:
    """Filters by property; several on one property share its mapping."""
    made: dict[str, Plain] = {}
    for one in filters:
        spelled = _comparison(one.op, one.value)
        if isinstance(made.get(one.name), dict) and isinstance(spelled, dict):
            made[one.name] = {**made[one.name], **spelled}
        else:
            made[one.name] = spelled
    return OrderedFields(made.items())


# --- signals.yaml ----------------------------------------------------------------------------------------------------


def number(value: Decimal) -> str:
    """A decimal without exponent."""
    return format(value, "f")


def plain_computed(one: Computed) -> dict[str, Plain]:
    """A computed value of signals.yaml, without its name."""
    rule = one.rule
    match rule:
        case Ratio():
            return {"type": one.type, "ratio": plain_block(rule)}
        case CountedEvents():
            key = "count" if rule.measure == "times" else rule.measure
            subject: Plain = rule.event if key == "count" else {"event": rule.event, "field": rule.field}
            window = _given(within=_text(rule.within), where=where(rule.where))
            return {"type": one.type, key: subject, **window}
        case FirstOf():
            return {"type": one.type, "first": [plain_block(row) for row in rule.rows]}
        case Score():
            points = [plain_block(row) for row in rule.rows]
            return {"type": one.type, "score": points, **_given(start=rule.start or None)}
        case _:
            assert_never(rule)
