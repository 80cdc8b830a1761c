"""Reads a block of the language as its class declares it, and the blocks that stand inside blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, assert_never

from orchestrator.language.fields import DeclaredField, alone_in, declared, groups, keys_of
from orchestrator.language.model import (
    Branch,
    FallbackChannel,
    QuietWindow,
    Reentry,
    RegionHours,
)
from orchestrator.language.problems import Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading import values
from orchestrator.language.reading.conditions import condition, filters
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.routes import routes, then_routes
from orchestrator.language.reading.rules import RULES
from orchestrator.language.reading.tree import Items, Leaf, Map, Node, came

T = TypeVar("T")
Reader = Callable[[Node, str, Problems], object]


def block(into: type[T], node: Node, what: str, problems: Problems, **known: object) -> T | None:
    """A value of the class ``into``, or None and everything wrong with it.

    ``known`` are attributes that stand elsewhere, such as the key the block was found under, or defaults made from it.
    """
    alone = alone_in(into)
    if alone is not None and (len(keys_of(into)) == 1 or not isinstance(node, Map)):
        value = reader_of(alone)(node, what, problems)
        return None if value is None else into(**{**known, alone.attribute: value})
    found = read.fields(node, what, keys_of(into), problems)
    if found is None:
        return None
    before = len(problems.errors)
    attributes = attributes_of(into, found)
    return None if len(problems.errors) > before else into(**{**known, **attributes})


def attributes_of(into: type[object], found: Fields) -> dict[str, Any]:
    """The attributes that the fields of a block give; the absent and the wrong ones are left out.

    ``steps`` are left to the reader of playbooks.
    """
    for one in declared(into):
        if one.field.needs is not None:
            found.required(one.key, one.field.needs)
    attributes: dict[str, Any] = {}
    for head, group in groups(into).items():
        within = found if "" in group else found.inner(head, tuple(group))
        for key, one in group.items():
            value = None if one.field.spelling == "steps" else within.read(key or head, reader_of(one))
            if value is not None:
                attributes[one.attribute] = value
    if into in RULES:
        RULES[into](found, attributes)
    return attributes


def reader_of(one: DeclaredField) -> Reader:  # noqa: C901, PLR0912 - the closed list of spellings
    """How a declared field is read."""
    if one.field.read is not None:
        return one.field.read
    match one.field.spelling:
        case "name" | "channel" | "ending":
            return read.name
        case "dotted":
            return read.dotted
        case "text":
            return read.text
        case "whole":
            return partial(read.whole, least=one.field.least, most=one.field.most)
        case "flag":
            return read.flag
        case "percent":
            return read.percent
        case "duration":
            return read.duration
        case "moment":
            return read.moment
        case "clock":
            return values.clock_text
        case "date":
            return values.day
        case "value":
            return read.scalar
        case "kept":
            return values.kept
        case "choice":
            return read.choice(one.words)
        case "names" | "events" | "channels" | "channel_list":
            return read.names
        case "answer_keys":
            return values.answer_keys
        case "weekdays":
            return values.weekdays
        case "types":
            return values.types
        case "values":
            return values.values
        case "filters":
            return filters
        case "answers":
            return values.answers
        case "shares":
            return values.shares
        case "regions":
            return _regions
        case "texts":
            return values.texts
        case "links":
            return values.links
        case "condition":
            return condition
        case "until":
            return _until
        case "scale":
            return values.scale
        case "capped":
            return _capped
        case "then":
            return then_routes
        case "routes":
            return routes
        case "reentry":
            return _reentry
        case "one_per":
            return values.one_per
        case "branches":
            return _branches
        case "offers":
            return values.offers
        case "quiet_hours":
            return _quiet_hours
        case "block":
            return partial(block, one.block)
        case "rows":
            return partial(_rows, one)
        case "named":
            return partial(_named, one)
        case "steps":
            raise AssertionError("a playbook's steps are read by reading.steps")
        case _:
            assert_never(one.field.spelling)


# --- blocks inside blocks -------------------------------------------------------------------------------------------


def _until(node: Node, what: str, problems: Problems) -> object:
    return condition(node, what, problems) if isinstance(node, Map) else read.moment(node, what, problems)


def _capped(node: Node, what: str, problems: Problems) -> object:
    if isinstance(node, Map):
        return block(FallbackChannel, node, what, problems)
    return read.choice(("defer", "skip"))(node, what, problems)


def _reentry(node: Node, what: str, problems: Problems) -> Reentry | None:
    """``never``, or a gap, a key, or both."""
    if isinstance(node, Leaf):
        if node.text == "never":
            return Reentry()
        problems.error(
            node.place, f"{what}: expected never, {{after: 90d}} or {{per: name}}, got {came(node)}"
        )
        return None
    if isinstance(node, Map) and not node.entries:
        problems.error(node.place, f"{what}: expected after or per, got an empty mapping")
    return block(Reentry, node, what, problems)


def _branches(node: Node, what: str, problems: Problems) -> tuple[Branch, ...] | None:
    if not isinstance(node, Items) or not node.nodes:
        problems.error(
            node.place, f"{what}: expected a list such as [{{if: ..., go: a}}, {{go: b}}], got {came(node)}"
        )
        return None
    rows: list[Branch | None] = []
    for number, one in enumerate(node.nodes, start=1):
        where = f"{what} row {number}"
        if isinstance(one, Map):
            _expect_if(one, where, problems, last=number == len(node.nodes))
        rows.append(block(Branch, one, where, problems))
    return None if None in rows else tuple(row for row in rows if row is not None)


def _expect_if(row: Map, what: str, problems: Problems, *, last: bool) -> None:
    asked = row.get("if")
    if last and asked is not None:
        problems.error(asked.place, f"{what}: the last row has no 'if': it is where everybody else goes")
    if not last and asked is None:
        problems.error((row.get("go") or row).place, f"{what}: only the last row may go without 'if'")


def _rows(one: DeclaredField, node: Node, what: str, problems: Problems) -> tuple[object, ...] | None:
    """A list of blocks; a wrong one is left out."""
    if not isinstance(node, Items) or len(node.nodes) < one.field.least:
        problems.error(node.place, f"{what}: expected {one.field.expected}, got {came(node)}")
        return None
    rows = [block(one.block, inner, what, problems) for inner in node.nodes]
    return tuple(row for row in rows if row is not None)


def _named(one: DeclaredField, node: Node, what: str, problems: Problems) -> tuple[object, ...] | None:
    """A block for each name; a wrong one is left out."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected {one.field.expected}, got {came(node)}")
        return None
    made: list[object] = []
    for entry in node.entries:
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        found = block(one.block, entry.node, f"{what}: {entry.key}", problems, name=entry.key)
        if found is not None:
            made.append(found)
    return tuple(made)


def _quiet_hours(node: Node, what: str, problems: Problems) -> tuple[QuietWindow, ...] | None:
    """``{sms: {from: "20:00", until: "09:00", weekdays: [...], regions: {DE: {...}}}}``, or a list a channel."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected channels with their hours, got {came(node)}")
        return None
    made: list[QuietWindow] = []
    for entry in node.entries:
        for one in entry.node.nodes if isinstance(entry.node, Items) else (entry.node,):
            window = block(QuietWindow, one, f"{what}: {entry.key}", problems, channel=entry.key)
            if window is not None:
                made.append(window)
    return tuple(made)


def _regions(node: Node, what: str, problems: Problems) -> tuple[tuple[str, tuple[str, str]], ...] | None:
    window = what.removesuffix(": regions")
    if not isinstance(node, Map):
        problems.error(node.place, f"{window}: expected regions with their hours, got {came(node)}")
        return None
    found = [
        (entry.key, block(RegionHours, entry.node, f"{window}: {entry.key}", problems))
        for entry in node.entries
    ]
    return tuple((region, (hours.from_, hours.until)) for region, hours in found if hours is not None)
