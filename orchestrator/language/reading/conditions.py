"""Reads conditions: groups, comparisons of values, and questions about event history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import cast

from orchestrator.language.model import (
    All,
    Any,
    AtLeastOf,
    Compare,
    CompareOp,
    Condition,
    Counted,
    Dropped,
    Filter,
    Followed,
    Not,
    SameAs,
    Scalar,
)
from orchestrator.language.moments import Duration, Moment
from orchestrator.language.problems import Problems, did_you_mean, one_of, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Items, Leaf, Map, MapEntry, Node, came

NUMBER_COMPARISONS = ("at_least", "at_most", "more_than", "less_than")
FILTER_COMPARISONS = (*NUMBER_COMPARISONS, "contains")
COMPARISONS = (*FILTER_COMPARISONS, "in_next", "in_last", "before", "after")
COUNTS = ("times", "sum", "distinct")
COUNTED = (*COUNTS, *NUMBER_COMPARISONS, "equals", "within", "since", "where")
DROPPED = ("down_by", "against", "from", "where")
FOLLOWED = ("then", "not_then", "within", "where")
_BARE = ("present", "missing")
_HISTORY = {*COUNTS, "within", "since", "where"}


def condition(node: Node, what: str, problems: Problems) -> Condition | None:
    """Any condition; None, with problems, when it is wrong."""
    if not isinstance(node, Map):
        problems.error(
            node.place,
            f"{what}: expected a condition such as {{health: {{less_than: 40}}}}, got {came(node)}",
        )
        return None
    because: str | None = None
    parts: list[Condition | None] = []
    counted_group = node.get("of") is not None
    for entry in node.entries:
        if entry.key == "because":
            because = read.text(entry.node, f"{what}: because", problems)
        elif entry.key == "of":
            parts.append(_at_least_of(node, entry, what, problems))
        elif entry.key == "at_least" and counted_group:
            continue
        else:
            parts.append(_part(entry, what, problems))
    if not parts:
        problems.error(node.place, f"{what}: expected a condition, got an empty mapping")
    if None in parts or not parts:
        return None
    return _with_because([part for part in parts if part is not None], because)


def _with_because(parts: list[Condition], because: str | None) -> Condition:
    if len(parts) > 1:
        return All(parts=tuple(parts), because=because)
    return explained(parts[0], because)


def explained(part: Condition, because: str | None) -> Condition:
    """``part`` with its reason; one that has a reason of its own already is wrapped."""
    if because is None:
        return part
    return All(parts=(part,), because=because) if part.because is not None else replace(part, because=because)


def _part(entry: MapEntry, what: str, problems: Problems) -> Condition | None:
    key, node = entry.key, entry.node
    if key in {"any", "all"}:
        parts = _list(node, f"{what}: {key}", problems)
        if parts is None:
            return None
        return Any(parts=parts) if key == "any" else All(parts=parts)
    if key == "not":
        part = condition(node, f"{what}: not", problems)
        return Not(part=part) if part is not None else None
    if key in COMPARISONS and not isinstance(node, Map):
        problems.error(
            entry.place, f"{what}: {shown(key)} stands without a name: write {{name: {{{key}: ...}}}}"
        )
        return None
    if not read.DOTTED.fullmatch(key):
        problems.error(entry.place, f"{what}: expected a name, got {shown(key)}")
        return None
    return _about(key, node, f"{what}: {key}", problems)


def _list(node: Node, what: str, problems: Problems) -> tuple[Condition, ...] | None:
    if not isinstance(node, Items) or not node.nodes:
        problems.error(node.place, f"{what}: expected a list of conditions, got {came(node)}")
        return None
    found = [condition(one, what, problems) for one in node.nodes]
    return None if None in found else tuple(part for part in found if part is not None)


def _at_least_of(node: Map, entry: MapEntry, what: str, problems: Problems) -> Condition | None:
    parts = _list(entry.node, f"{what}: of", problems)
    count_node = node.get("at_least")
    if count_node is None:
        problems.error(entry.place, f"{what}: 'of' needs 'at_least: N' beside it")
        return None
    count = read.whole(count_node, f"{what}: at_least", problems, least=1, most=1000)
    if parts is None or count is None:
        return None
    if count > len(parts):
        problems.error(
            count_node.place, f"{what}: at_least {count} of {len(parts)} conditions can never hold"
        )
        return None
    return AtLeastOf(count=count, parts=parts)


def _about(name: str, node: Node, what: str, problems: Problems) -> Condition | None:
    """What is asked about one name."""
    if isinstance(node, Leaf):
        if node.text in _BARE and node.value == node.text:
            return Compare(name=name, op=cast("CompareOp", node.text))
        value = _literal(node, what, problems)
        return None if value is None else Compare(name=name, op="equals", value=value)
    if isinstance(node, Items):
        options = _options(node, what, problems)
        return None if options is None else Compare(name=name, op="in", value=options)
    keys = {entry.key for entry in node.entries}
    if keys & {"down_by", "against", "from"}:
        return _dropped(name, Fields(node, what, DROPPED, problems), problems)
    if keys & {"then", "not_then"}:
        return _followed(name, Fields(node, what, FOLLOWED, problems), problems)
    if keys & _HISTORY:
        return _counted(name, Fields(node, what, COUNTED, problems), problems)
    return _compared(name, node, what, problems)


def _compared(name: str, node: Map, what: str, problems: Problems) -> Condition | None:
    if len(node.entries) == 1 and node.entries[0].key == "same_as":
        other = read.dotted(node.entries[0].node, f"{what}: same_as", problems)
        return Compare(name=name, op="equals", value=SameAs(name=other)) if other else None
    parts: list[Condition] = []
    wrong = not node.entries
    if wrong:
        problems.error(node.place, f"{what}: expected {one_of(COMPARISONS)}, got an empty mapping")
    for entry in node.entries:
        value: Scalar | SameAs | Moment | None = None
        if entry.key in ("in_next", "in_last"):
            value = read.duration(entry.node, f"{what}: {entry.key}", problems)
        elif entry.key in ("before", "after"):
            value = read.any_moment(entry.node, f"{what}: {entry.key}", problems)
        elif entry.key in COMPARISONS:
            value = operand(entry, what, problems)
        else:
            known = (*COMPARISONS, *COUNTED, *DROPPED, *FOLLOWED, "same_as")
            hint = did_you_mean(entry.key, known) or f"; expected {one_of(COMPARISONS)}"
            problems.error(entry.place, f"{what}: {shown(entry.key)} is no comparison{hint}")
        if value is None:
            wrong = True
        else:
            parts.append(Compare(name=name, op=cast("CompareOp", entry.key), value=value))
    if wrong:
        return None
    return parts[0] if len(parts) == 1 else All(parts=tuple(parts))


def operand(entry: MapEntry, what: str, problems: Problems) -> Scalar | SameAs | None:
    """What a comparison compares with: a literal of the right kind or ``{same_as: name}``."""
    where = f"{what}: {entry.key}"
    value = _literal(entry.node, where, problems)
    if value is None or isinstance(value, SameAs) or entry.key not in NUMBER_COMPARISONS:
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        problems.error(entry.node.place, f"{where}: expected a number or a percent, got {came(entry.node)}")
        return None
    return value


def _literal(node: Node, what: str, problems: Problems) -> Scalar | SameAs | None:
    if isinstance(node, Map):
        inner = read.fields(node, what, ("same_as",), problems)
        other = (
            inner.read("same_as", read.dotted)
            if inner is not None and inner.required("same_as", "a name")
            else None
        )
        return SameAs(name=other) if other else None
    if isinstance(node, Leaf) and node.empty:
        hint = "; write present or missing" if node.value is None else ""
        problems.error(node.place, f"{what}: expected a value to compare with, got nothing{hint}")
        return None
    return read.scalar(node, what, problems)


def literal(node: Node, what: str, problems: Problems) -> Scalar | SameAs | None:
    """A literal or ``{same_as: name}``, for arguments and context."""
    return _literal(node, what, problems)


def _options(node: Items, what: str, problems: Problems) -> tuple[Scalar, ...] | None:
    if not node.nodes:
        problems.error(node.place, f"{what}: expected at least one value, got an empty list")
        return None
    found = [read.scalar(one, what, problems) for one in node.nodes]
    return None if None in found else tuple(found)


def filters(node: Node, what: str, problems: Problems) -> tuple[Filter, ...] | None:
    """``where: {property: value | [values] | {at_least: n} | {same_as: name} | present | missing}``."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected properties such as {{plan: pro}}, got {came(node)}")
        return None
    found: list[Filter] = []
    before = len(problems.errors)
    for entry in node.entries:
        if not read.DOTTED.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a property's name, got {shown(entry.key)}")
            continue
        found.extend(_filter(entry, f"{what}: {entry.key}", problems))
    return None if len(problems.errors) > before else tuple(found)


def _filter(entry: MapEntry, what: str, problems: Problems) -> Iterable[Filter]:
    node = entry.node
    if isinstance(node, Map) and node.get("same_as") is None:
        for inner in Fields(node, what, FILTER_COMPARISONS, problems).node.entries:
            if inner.key in FILTER_COMPARISONS:
                value = operand(inner, what, problems)
                if value is not None:
                    yield Filter(name=entry.key, op=cast("CompareOp", inner.key), value=value)
        return
    asked = _about(entry.key, node, what, problems)
    if isinstance(asked, Compare) and not isinstance(asked.value, Moment):
        yield Filter(name=asked.name, op=asked.op, value=asked.value)


def _counted(event: str, found: Fields, problems: Problems) -> Condition | None:
    before = len(problems.errors)
    measures = [key for key in COUNTS if key in found]
    if len(measures) > 1:
        found.error(measures[1], f"expected one of {one_of(COUNTS)}, got {one_of(measures)}")
    measure = measures[0] if measures else "times"
    ops = [key for key in (*NUMBER_COMPARISONS, "equals") if key in found]
    op, value, field = "at_least", Decimal(1), None
    if measure == "times":
        if ops:
            found.error(ops[0], f"'{ops[0]}' goes with sum or distinct; a count is 'times: N', at least N")
        times = found.read("times", read.whole)
        if times is not None:
            op, value = ("equals", Decimal(0)) if times == 0 else ("at_least", Decimal(times))
    else:
        field = found.read(measure, read.dotted)
        if len(ops) != 1:
            found.error(measure, f"{measure} needs one of {one_of((*NUMBER_COMPARISONS, 'equals'))}")
        else:
            op, amount = ops[0], found.read(ops[0], read.number)
            value = amount if amount is not None else value
    within = found.read("within", read.duration)
    since = found.read("since", _since)
    where = found.read("where", filters) or ()
    if len(problems.errors) > before:
        return None
    return Counted(
        event=event, measure=measure, field=field, op=op, value=value, within=within, since=since, where=where,  # type: ignore[arg-type]  # closed lists above
    )  # fmt: skip


def _since(node: Node, what: str, problems: Problems) -> Moment | str | None:
    if isinstance(node, Leaf) and node.text == "entry":
        return "entry"
    return read.any_moment(node, what, problems)


def _dropped(event: str, found: Fields, problems: Problems) -> Condition | None:
    before = len(problems.errors)
    found.required("down_by", "a percent such as 40%")
    found.required("against", "a duration such as 28d")
    down_by = found.read("down_by", read.percent)
    against = found.read("against", read.duration)
    minimum = found.read("from", lambda node, what, into: read.whole(node, what, into, least=1))
    where = found.read("where", filters) or ()
    if len(problems.errors) > before or down_by is None or against is None:
        return None
    return Dropped(event=event, down_by=down_by, against=against, minimum=minimum or 1, where=where)


def _followed(event: str, found: Fields, problems: Problems) -> Condition | None:
    before = len(problems.errors)
    key = "then" if "then" in found else "not_then"
    if "then" in found and "not_then" in found:
        found.error("not_then", "expected then or not_then, got both")
    found.required("within", "a duration such as 7d")
    other = found.read(key, read.dotted)
    within: Duration | None = found.read("within", read.duration)
    where = found.read("where", filters) or ()
    if len(problems.errors) > before or other is None or within is None:
        return None
    return Followed(event=event, other=other, within=within, followed=key == "then", where=where)
