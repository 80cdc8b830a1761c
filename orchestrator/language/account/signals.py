"""signals.yaml: every name a condition, template or trigger may use, each with its type.

::

    attributes:
      seats: {type: number, always: true}
      account.renews_at: date
    events:
      usage_reported: {used: number, limit: number}
    computed:
      usage_ratio: {type: percent, ratio: {of: seats_used, to: seats}}
      sessions: {type: number, count: session_started, within: 30d}
      spend: {type: money, sum: {event: invoice_paid, field: amount}, within: 90d}
      tier: {type: text, first: [{if: {seats: {at_least: 50}}, value: large}, {value: small}]}
      expansion: {type: number, score: [{if: {seats: {at_least: 20}}, points: 30, label: many seats}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast, get_args

from orchestrator.language.conditions.computed import (
    Computed,
    CountedEvents,
    FirstOf,
    FirstRow,
    Ratio,
    Rule,
    Score,
    ScoreRow,
    computed_needs,
)
from orchestrator.language.model import ValueType
from orchestrator.language.outcomes import RESERVED_WORDS
from orchestrator.language.problems import PlacedProblem, Problems, SourcePosition, one_of, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.conditions import condition, filters
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Items, Map, MapEntry, Node, came
from orchestrator.language.reading.yaml_tree import read_yaml, read_yaml_file

VALUE_TYPES: tuple[str, ...] = get_args(ValueType)
VOCABULARY = ("attributes", "events", "computed")
ATTRIBUTE = ("type", "always")
COMPUTED = ("type", "ratio", "count", "sum", "distinct", "within", "where", "first", "score", "start")
RATIO = ("of", "to")
TALLY = ("event", "field")
FIRST_ROW = ("if", "value")
SCORE_ROW = ("if", "points", "label")
_RULES = ("ratio", "count", "sum", "distinct", "first", "score")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredAttribute:
    """A customer's or (``account.x``) an account's attribute. ``always``: nobody is without it."""

    name: str
    type: ValueType
    always: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredEvent:
    name: str
    properties: tuple[tuple[str, ValueType], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All declared names. ``None`` of them is declared twice."""

    attributes: tuple[DeclaredAttribute, ...] = ()
    events: tuple[DeclaredEvent, ...] = ()
    computed: tuple[Computed, ...] = ()

    @cached_property
    def attribute_named(self) -> Mapping[str, DeclaredAttribute]:
        return {attribute.name: attribute for attribute in self.attributes}

    @cached_property
    def event_named(self) -> Mapping[str, DeclaredEvent]:
        return {event.name: event for event in self.events}

    @cached_property
    def computed_named(self) -> Mapping[str, Computed]:
        return {computed.name: computed for computed in self.computed}

    def type_of(self, name: str) -> ValueType | None:
        """The type of an attribute or computed value; None for a name that is neither."""
        if name == "tags":
            return "list"
        known = self.attribute_named.get(name) or self.computed_named.get(name)
        return known.type if known else None

    def always(self, name: str) -> bool:
        """Whether a template may use the value without a default."""
        if name == "tags":
            return True
        known = self.attribute_named.get(name) or self.computed_named.get(name)
        return bool(known and known.always)

    @property
    def value_names(self) -> tuple[str, ...]:
        return (*self.attribute_named, *self.computed_named, "tags")


def read_vocabulary(text: str, path: str = "signals.yaml") -> tuple[Vocabulary, list[PlacedProblem]]:
    """The vocabulary of a text, and everything wrong with it."""
    problems = Problems()
    return _vocabulary(read_yaml(text, path, problems), problems), problems.sorted()


def read_vocabulary_file(path: Path, shown_as: str | None = None) -> tuple[Vocabulary, list[PlacedProblem]]:
    """The vocabulary of a file; an absent file is an empty vocabulary."""
    problems = Problems()
    if not path.exists():
        return Vocabulary(), []
    return _vocabulary(read_yaml_file(path, problems, shown_as=shown_as), problems), problems.sorted()


def _vocabulary(tree: Node | None, problems: Problems) -> Vocabulary:
    if tree is None:
        return Vocabulary()
    found = read.fields(tree, "signals", VOCABULARY, problems)
    if found is None:
        return Vocabulary()
    attributes = [_attribute(entry, problems) for entry in _entries(found, "attributes")]
    events = [_event(entry, problems) for entry in _entries(found, "events")]
    computed = [_computed(entry, problems) for entry in _entries(found, "computed")]
    vocabulary = Vocabulary(
        attributes=tuple(one for one in attributes if one),
        events=tuple(one for one in events if one),
        computed=tuple(one for one in computed if one),
    )
    _refuse_doubles(found, problems)
    _check_computed(vocabulary, found, problems)
    return vocabulary


def _entries(found: Fields, key: str) -> Iterable[MapEntry]:
    node = found.node_of(key)
    if node is None:
        return ()
    if not isinstance(node, Map):
        found.error(key, f"{key}: expected names, got {came(node)}")
        return ()
    return node.entries


def _type(node: Node, what: str, problems: Problems) -> ValueType | None:
    return cast("ValueType | None", read.choice(VALUE_TYPES)(node, what, problems))


def _type_of(found: Fields) -> ValueType | None:
    node = found.node_of("type")
    return None if node is None else _type(node, f"{found.what}: type", found.problems)


def _attribute(entry: MapEntry, problems: Problems) -> DeclaredAttribute | None:
    what = f"attribute '{entry.key}'"
    if not read.DOTTED.fullmatch(entry.key) or ("." in entry.key and not entry.key.startswith("account.")):
        problems.error(entry.place, f"{what}: expected a name, or account.name for an account's attribute")
        return None
    if not isinstance(entry.node, Map):
        only = _type(entry.node, what, problems)
        return DeclaredAttribute(name=entry.key, type=only) if only else None
    found = Fields(entry.node, what, ATTRIBUTE, problems)
    found.required("type", one_of(VALUE_TYPES))
    kind = _type_of(found)
    always = found.read("always", read.flag)
    return DeclaredAttribute(name=entry.key, type=kind, always=bool(always)) if kind else None


def _event(entry: MapEntry, problems: Problems) -> DeclaredEvent | None:
    what = f"event '{entry.key}'"
    if not read.NAME.fullmatch(entry.key):
        problems.error(entry.place, f"{what}: expected a name of letters, digits and _")
        return None
    if entry.key in RESERVED_WORDS:
        problems.error(entry.place, f"{what}: this is an outcome of messages; call the event something else")
        return None
    if not isinstance(entry.node, Map):
        problems.error(
            entry.node.place, f"{what}: expected its properties with types, or {{}}, got {came(entry.node)}"
        )
        return None
    properties: list[tuple[str, ValueType]] = []
    for one in entry.node.entries:
        kind = _type(one.node, f"{what}: {one.key}", problems)
        if not read.DOTTED.fullmatch(one.key):
            problems.error(one.place, f"{what}: expected a property's name, got {shown(one.key)}")
        elif kind:
            properties.append((one.key, kind))
    return DeclaredEvent(name=entry.key, properties=tuple(properties))


def _computed(entry: MapEntry, problems: Problems) -> Computed | None:
    what = f"computed '{entry.key}'"
    found = read.fields(entry.node, what, COMPUTED, problems)
    if not read.NAME.fullmatch(entry.key):
        problems.error(entry.place, f"{what}: expected a name of letters, digits and _")
        return None
    if found is None:
        return None
    found.required("type", one_of(VALUE_TYPES))
    kind = _type_of(found)
    rules = [key for key in _RULES if key in found]
    if len(rules) != 1:
        came_rules = one_of(rules).replace(" or ", " and ") or "none"
        problems.error(found.place, f"{what}: expected one of {one_of(_RULES)}, got {came_rules}")
        return None
    for key, owners in (("within", _RULES[1:4]), ("where", _RULES[1:4]), ("start", ("score",))):
        if key in found and rules[0] not in owners:
            found.error(key, f"'{key}' goes with {one_of(owners)}")
    rule = _rule(rules[0], found, problems)
    return Computed(name=entry.key, type=kind, rule=rule) if kind and rule else None


def _rule(key: str, found: Fields, problems: Problems) -> Rule | None:
    if key == "ratio":
        return found.read("ratio", _ratio)
    if key == "first":
        return found.read("first", _first)
    if key == "score":
        rows = found.read("score", _score_rows)
        start = found.read("start", lambda node, what, into: read.whole(node, what, into, most=100))
        return Score(rows=rows, start=start or 0) if rows else None
    within = found.read("within", read.duration)
    where = found.read("where", filters) or ()
    if key == "count":
        event = found.read("count", read.name)
        return CountedEvents(measure="times", event=event, within=within, where=where) if event else None
    named = found.read(key, _event_and_field)
    if named is None:
        return None
    return CountedEvents(
        measure="sum" if key == "sum" else "distinct",
        event=named[0],
        field=named[1],
        within=within,
        where=where,
    )


def _ratio(node: Node, what: str, problems: Problems) -> Ratio | None:
    found = read.fields(node, what, RATIO, problems)
    if found is None or not (found.required("of", "a name") & found.required("to", "a name")):
        return None
    of, to = found.read("of", read.dotted), found.read("to", read.dotted)
    return Ratio(of=of, to=to) if of and to else None


def _event_and_field(node: Node, what: str, problems: Problems) -> tuple[str, str] | None:
    found = read.fields(node, what, TALLY, problems)
    if found is None or not (found.required("event", "an event") & found.required("field", "a property")):
        return None
    event, field = found.read("event", read.name), found.read("field", read.dotted)
    return (event, field) if event and field else None


def _first(node: Node, what: str, problems: Problems) -> FirstOf | None:
    if not isinstance(node, Items) or not node.nodes:
        problems.error(
            node.place, f"{what}: expected rows such as {{if: ..., value: large}}, got {came(node)}"
        )
        return None
    rows = []
    for one in node.nodes:
        found = read.fields(one, what, FIRST_ROW, problems)
        if found is not None and found.required("value", "the value of the row"):
            asked, value = found.read("if", condition), found.read("value", read.scalar)
            if value is not None:
                rows.append(FirstRow(value=value, if_=asked))
    return FirstOf(rows=tuple(rows)) if rows else None


def _score_rows(node: Node, what: str, problems: Problems) -> tuple[ScoreRow, ...] | None:
    if not isinstance(node, Items) or not node.nodes:
        problems.error(node.place, f"{what}: expected rows such as {{if: ..., points: 20}}, got {came(node)}")
        return None
    rows = []
    for one in node.nodes:
        found = read.fields(one, what, SCORE_ROW, problems)
        if found is None or not (
            found.required("if", "a condition") & found.required("points", "a whole number")
        ):
            continue
        asked = found.read("if", condition)
        points = found.read("points", lambda n, w, into: read.whole(n, w, into, least=-100, most=100))
        label = found.read("label", read.text)
        if asked is not None and points is not None:
            rows.append(ScoreRow(if_=asked, points=points, label=label))
    return tuple(rows) if rows else None


def _refuse_doubles(found: Fields, problems: Problems) -> None:
    seen: dict[str, tuple[str, SourcePosition]] = {
        "tags": ("the built-in values", SourcePosition(found.place.path))
    }
    for key in VOCABULARY:
        for entry in _entries(found, key):
            if entry.key in seen:
                where, place = seen[entry.key]
                line = f", line {place.line}" if place.line else ""
                problems.error(entry.place, f"'{entry.key}' is already a name of {where}{line}")
            seen.setdefault(entry.key, (key, entry.place))


def _check_computed(vocabulary: Vocabulary, found: Fields, problems: Problems) -> None:
    from_names = {one.name: computed_needs(one) for one in vocabulary.computed}
    for entry in _entries(found, "computed"):
        if entry.key not in from_names:
            continue
        events, names = from_names[entry.key]
        for event in events:
            if event not in vocabulary.event_named and event not in vocabulary.value_names:
                said = read.unknown(event, "event", vocabulary.event_named)
                problems.error(entry.place, f"computed '{entry.key}': {said}")
        for name in sorted(names):
            if vocabulary.type_of(name) is None and name not in vocabulary.event_named:
                said = read.unknown(name, "name", vocabulary.value_names)
                problems.error(entry.place, f"computed '{entry.key}': {said}")
        if _needs_itself(entry.key, {name: needed for name, (_, needed) in from_names.items()}):
            problems.error(entry.place, f"computed '{entry.key}' is made from itself")


def _needs_itself(name: str, needs: Mapping[str, frozenset[str]]) -> bool:
    seen: set[str] = set()
    todo = list(needs[name])
    while todo:
        one = todo.pop()
        if one == name:
            return True
        if one in needs and one not in seen:
            seen.add(one)
            todo.extend(needs[one])
    return False
