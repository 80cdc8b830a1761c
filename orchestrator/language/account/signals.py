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
from typing import Annotated, cast, get_args

from orchestrator.language.conditions.computed import (
    Computed,
    CountedEvents,
    EventField,
    FirstOf,
    FirstRow,
    Ratio,
    Rule,
    Score,
    ScoreRow,
    computed_needs,
)
from orchestrator.language.fields import Field, keys_of
from orchestrator.language.model import Filter, ValueType
from orchestrator.language.moments import Duration
from orchestrator.language.outcomes import RESERVED_OUTCOMES
from orchestrator.language.problems import PlacedProblem, Problems, SourcePosition, one_of, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.blocks import attributes_of, block
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Map, MapEntry, Node, came
from orchestrator.language.reading.yaml_tree import read_yaml, read_yaml_file

VALUE_TYPES: tuple[str, ...] = get_args(ValueType)
_RULES = ("ratio", "count", "sum", "distinct", "first", "score")
_COUNTING = ("count", "sum", "distinct")


def _properties(node: Node, what: str, problems: Problems) -> tuple[tuple[str, ValueType], ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected its properties with types, or {{}}, got {came(node)}")
        return None
    properties: list[tuple[str, ValueType]] = []
    for one in node.entries:
        kind = read.choice(VALUE_TYPES)(one.node, f"{what}: {one.key}", problems)
        if not read.DOTTED.fullmatch(one.key):
            problems.error(one.place, f"{what}: expected a property's name, got {shown(one.key)}")
        elif kind:
            properties.append((one.key, cast("ValueType", kind)))
    return tuple(properties)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredAttribute:
    """A customer's or (``account.x``) an account's attribute. ``always``: nobody is without it."""

    name: str
    type: Annotated[ValueType, Field("choice", "what it holds", needs=one_of(VALUE_TYPES), alone=True)]
    always: Annotated[bool, Field("flag", "`true`: templates need no default for it")] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredEvent:
    """A signal that products send, with the types of what it carries."""

    name: str
    properties: Annotated[
        tuple[tuple[str, ValueType], ...],
        Field("types", "its properties with types", alone=True, read=_properties),
    ] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenComputed:
    """A computed value as it is written: its type, one rule of six, and what goes with some of them."""

    type: Annotated[ValueType, Field("choice", "what it holds", needs=one_of(VALUE_TYPES))]
    ratio: Annotated[
        Ratio | None,
        Field("block", "`{of, to}`: one name divided by another; missing when `to` is zero"),
    ] = None
    count: Annotated[str | None, Field("name", "how many events of this name")] = None
    sum: Annotated[EventField | None, Field("block", "`{event, field}`: the sum of a property")] = None
    distinct: Annotated[
        EventField | None, Field("block", "`{event, field}`: how many different values of a property")
    ] = None
    within: Annotated[Duration | None, Field("duration", "with `count`, `sum`, `distinct`: so far back")] = (
        None
    )
    where: Annotated[
        tuple[Filter, ...], Field("filters", "with `count`, `sum`, `distinct`: properties with their values")
    ] = ()
    first: Annotated[
        tuple[FirstRow, ...],
        Field(
            "rows",
            "`[{if, value}]`: the value of the first true row",
            expected="rows such as {if: ..., value: large}",
            least=1,
        ),
    ] = ()
    score: Annotated[
        tuple[ScoreRow, ...],
        Field(
            "rows",
            "`[{if, points, label}]`: `start` plus the points of every true row, between 0 and 100",
            expected="rows such as {if: ..., points: 20}",
            least=1,
        ),
    ] = ()
    start: Annotated[int, Field("whole", "with `score`: what it begins with", most=100)] = 0

    def rule(self) -> Rule | None:
        """The one rule that is written; None when what is written of it is wrong."""
        if self.first:
            return FirstOf(rows=self.first)
        if self.score:
            return Score(rows=self.score, start=self.start)
        if self.ratio is not None:
            return self.ratio
        if self.count is not None:
            return CountedEvents(measure="times", event=self.count, within=self.within, where=self.where)
        named = self.sum or self.distinct
        return (
            None
            if named is None
            else CountedEvents(
                measure="sum" if self.sum else "distinct",
                event=named.event,
                field=named.field,
                within=self.within,
                where=self.where,
            )
        )


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All declared names. ``None`` of them is declared twice."""

    attributes: Annotated[
        tuple[DeclaredAttribute, ...],
        Field("named", "what is known of a customer or (`account.x`) an account"),
    ] = ()
    events: Annotated[tuple[DeclaredEvent, ...], Field("named", "signals with their properties")] = ()
    computed: Annotated[
        tuple[Computed, ...], Field("named", "values that are made from the others", of=WrittenComputed)
    ] = ()

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
    found = read.fields(tree, "signals", keys_of(Vocabulary), problems)
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


def _attribute(entry: MapEntry, problems: Problems) -> DeclaredAttribute | None:
    what = f"attribute '{entry.key}'"
    if not read.DOTTED.fullmatch(entry.key) or ("." in entry.key and not entry.key.startswith("account.")):
        problems.error(entry.place, f"{what}: expected a name, or account.name for an account's attribute")
        return None
    return block(DeclaredAttribute, entry.node, what, problems, name=entry.key)


def _event(entry: MapEntry, problems: Problems) -> DeclaredEvent | None:
    what = f"event '{entry.key}'"
    if not read.NAME.fullmatch(entry.key):
        problems.error(entry.place, f"{what}: expected a name of letters, digits and _")
        return None
    if entry.key in RESERVED_OUTCOMES:
        problems.error(entry.place, f"{what}: this is an outcome of messages; call the event something else")
        return None
    return block(DeclaredEvent, entry.node, what, problems, name=entry.key)


def _computed(entry: MapEntry, problems: Problems) -> Computed | None:
    what = f"computed '{entry.key}'"
    found = read.fields(entry.node, what, keys_of(WrittenComputed), problems)
    if not read.NAME.fullmatch(entry.key):
        problems.error(entry.place, f"{what}: expected a name of letters, digits and _")
        return None
    attributes = attributes_of(WrittenComputed, found) if found is not None else {}
    if found is None or not _one_rule(found) or "type" not in attributes:
        return None
    written = WrittenComputed(**attributes)
    rule = written.rule()
    return None if rule is None else Computed(name=entry.key, type=written.type, rule=rule)


def _one_rule(found: Fields) -> bool:
    """Whether exactly one rule is written; what goes with another is a problem."""
    rules = [key for key in _RULES if key in found]
    if len(rules) != 1:
        came_rules = one_of(rules).replace(" or ", " and ") or "none"
        said = f"{found.what}: expected one of {one_of(_RULES)}, got {came_rules}"
        found.problems.error(found.place, said)
        return False
    for key, owners in (("within", _COUNTING), ("where", _COUNTING), ("start", ("score",))):
        if key in found and rules[0] not in owners:
            found.error(key, f"'{key}' goes with {one_of(owners)}")
    return True


def _refuse_doubles(found: Fields, problems: Problems) -> None:
    seen: dict[str, tuple[str, SourcePosition]] = {
        "tags": ("the built-in values", SourcePosition(found.place.path))
    }
    for key in keys_of(Vocabulary):
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
