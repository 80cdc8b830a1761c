"""Plain Python values as the tree the parser reads: what authors pass, and what the database keeps as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from orchestrator.language.moments import duration_of
from orchestrator.language.problems import Problems, SourcePosition
from orchestrator.language.reading.tree import Items, Leaf, Map, MapEntry, Node
from orchestrator.language.reading.yaml_tree import MAX_DEPTH


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelled:
    """What one author call spelled: plain values, and the line of the call. ``key`` is the step's action, if any."""

    value: Any
    place: SourcePosition
    key: str | None = None


def tree_of(
    value: Any, place: SourcePosition, problems: Problems, *, pairs: bool = False, depth: int = 0
) -> Node:
    """``value`` as a tree. ``pairs``: a list of ``[key, value]`` lists is a mapping whose order counts."""
    if isinstance(value, Spelled):
        return tree_of(value.value, value.place, problems, pairs=pairs, depth=depth)
    if depth > MAX_DEPTH:
        problems.error(place, f"nested deeper than {MAX_DEPTH} levels")
        return Leaf(text="", value=None, place=place)
    if isinstance(value, Mapping):
        entries = ((str(key), inner) for key, inner in value.items())
        return _map(entries, place, problems, pairs, depth)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if pairs and value and all(_is_pair(one) for one in value):
            return _map(((one[0], one[1]) for one in value), place, problems, pairs, depth)
        nodes = tuple(tree_of(one, place, problems, pairs=pairs, depth=depth + 1) for one in value)
        return Items(nodes=nodes, place=place)
    return _leaf(value, place, problems)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str)


def _map(entries: Any, place: SourcePosition, problems: Problems, pairs: bool, depth: int) -> Map:
    made: dict[str, MapEntry] = {}
    for key, inner in entries:
        at = inner.place if isinstance(inner, Spelled) else place
        if key in made:
            problems.error(at, f"'{key}' is written twice here")
        made[key] = MapEntry(
            key=key, node=tree_of(inner, at, problems, pairs=pairs, depth=depth + 1), place=at
        )
    return Map(entries=tuple(made.values()), place=place)


def _leaf(value: Any, place: SourcePosition, problems: Problems) -> Leaf:
    if value is None:
        return Leaf(text="null", value=None, place=place)
    if isinstance(value, bool):
        return Leaf(text="true" if value else "false", value=value, place=place)
    if isinstance(value, str):
        return Leaf(text=str(value), value=str(value), place=place)
    if isinstance(value, int):
        return Leaf(text=str(value), value=value, place=place)
    if isinstance(value, float | Decimal):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return Leaf(text=str(number), value=number, place=place)
    if isinstance(value, timedelta):
        return _duration(value, place, problems)
    problems.error(
        place, f"expected a text, number, true, false, list or mapping, got {type(value).__name__}"
    )
    return Leaf(text="", value=None, place=place)


def _duration(value: timedelta, place: SourcePosition, problems: Problems) -> Leaf:
    text = str(duration_of(value) or "")
    if not text:
        problems.error(place, f"expected a duration of whole minutes, one or more, got {value}")
    return Leaf(text=text, value=text, place=place)
