"""What the generated builders of :mod:`orchestrator.language.author` are made with, and the builders of conditions.

A builder spells its arguments as YAML would and keeps the line of its call. What it gives has a type of its own, so
that a type checker refuses an entry where an action belongs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from decimal import Decimal
from typing import Literal, NewType, TypeVar

from orchestrator.errors import PlaybookError
from orchestrator.language import model
from orchestrator.language.problems import Problems, SourcePosition
from orchestrator.language.reading.playbook import parse_playbook
from orchestrator.language.reading.python_tree import Spelled, tree_of
from orchestrator.language.reading.tree import Node

OwnName = NewType("OwnName", str)
"""A name of your own where the engine's words are expected: a signal in ``then``, a channel that a package adds, an
ending. A plain text does the same; this one a type checker accepts."""


class SpelledAction(Spelled):
    """What a step does."""

    __slots__ = ()


class SpelledSplit(SpelledAction):
    """A split, whose ``then`` names variants."""

    __slots__ = ()


class SpelledStep(Spelled):
    """One state; its key is its name."""

    __slots__ = ()


class SpelledBranch(Spelled):
    """One row of a choose."""

    __slots__ = ()


class SpelledEntry(Spelled):
    """How customers come in."""

    __slots__ = ()


class SpelledGoal(Spelled):
    """What counts as success."""

    __slots__ = ()


class SpelledCondition(Spelled):
    """A condition; it may be kept under a name and used in several places."""

    __slots__ = ()


Part = TypeVar("Part", bound=Spelled)
Plain = str | int | float | Decimal | bool
SameAs = Mapping[Literal["same_as"], str]
Values = Mapping[str, Plain | SameAs]
Amount = str | int | float | Decimal | SameAs  # a percent is a text: "80%"
Names = str | Sequence[str]
Span = str | timedelta  # "2d", "next 09:00", or a timedelta of whole minutes
Question = SpelledCondition | Mapping[str, object]

_made: ContextVar[list[tuple[model.Playbook, Node]] | None] = ContextVar("made playbooks", default=None)


# --- what builders do -----------------------------------------------------------------------------------------------


def part(kind: type[Part], key: str | None, value: object) -> Part:
    """What the calling builder spells, with the line of the author's call; fields that are None are left out.

    ``key`` is that of an action.
    """
    return kind(value=_given(value) if isinstance(value, dict) else value, place=_place(3), key=key)


def step(name: str, action: SpelledAction | None, fields: Mapping[str, object]) -> SpelledStep:
    """A step, with its action under the action's own key."""
    doing = {action.key: action} if action is not None and action.key else {}
    return SpelledStep(value={**doing, **_given(fields)}, place=_place(3), key=name)


def finished(fields: Mapping[str, object], steps: Sequence[SpelledStep]) -> model.Playbook:
    """The playbook that the calling builder spells; PlaybookError lists everything wrong with it."""
    problems = Problems()
    pairs = [(step.key, step) for step in steps]
    tree = tree_of({**_given(fields), "steps": pairs}, _place(3), problems, pairs=True)
    made, found = parse_playbook(tree)
    problems.extend(found)
    if made is None or problems.errors:
        raise PlaybookError(problems.errors)
    collector = _made.get()
    if collector is not None:
        collector.append((made, tree))
    return made


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value is not None}


@contextmanager
def collected() -> Iterator[list[tuple[model.Playbook, Node]]]:
    """Gathers the playbooks made inside, each with the tree it was read from."""
    made: list[tuple[model.Playbook, Node]] = []
    token = _made.set(made)
    try:
        yield made
    finally:
        _made.reset(token)


def _place(depth: int) -> SourcePosition:
    """The file and line that are so many calls up."""
    frame = sys._getframe(depth)  # noqa: SLF001 - the only way to name the caller's line
    return SourcePosition(frame.f_code.co_filename, frame.f_lineno)


# --- conditions -----------------------------------------------------------------------------------------------------


def any_of(*parts: Question, because: str | None = None) -> SpelledCondition:
    """At least one of the conditions."""
    return _condition({"any": list(parts), "because": because})


def all_of(*parts: Question, because: str | None = None) -> SpelledCondition:
    """Every one of the conditions."""
    return _condition({"all": list(parts), "because": because})


def not_(part: Question, *, because: str | None = None) -> SpelledCondition:
    """The condition does not hold, or what it asks about is missing."""
    return _condition({"not": part, "because": because})


def at_least_of(count: int, *parts: Question, because: str | None = None) -> SpelledCondition:
    """At least ``count`` of the conditions."""
    return _condition({"at_least": count, "of": list(parts), "because": because})


def where(
    name: str,
    value: Plain | Sequence[Plain] | None = None,
    *,
    because: str | None = None,
    at_least: Amount | None = None,
    at_most: Amount | None = None,
    more_than: Amount | None = None,
    less_than: Amount | None = None,
    equals: Amount | None = None,
    contains: Plain | SameAs | None = None,
    same_as: str | None = None,
    in_next: Span | None = None,
    in_last: Span | None = None,
    before: Span | None = None,
    after: Span | None = None,
    times: int | None = None,
    sum: str | None = None,  # noqa: A002 - the language's word
    distinct: str | None = None,
    within: Span | None = None,
    since: Span | None = None,
    where: Mapping[str, object] | None = None,
    down_by: str | None = None,
    against: Span | None = None,
    from_: int | None = None,
    then: str | None = None,
    not_then: str | None = None,
) -> SpelledCondition:
    """One name asked: ``where("plan", "pro")``, ``where("health", less_than=40, because="...")``.

    About events: ``where("opened", times=5, within="14d")``, ``where("orders_reported", sum="orders", at_least=1000)``.
    """
    asked = _given(
        {
            "at_least": at_least, "at_most": at_most, "more_than": more_than, "less_than": less_than,
            "equals": equals, "contains": contains, "same_as": same_as, "in_next": in_next, "in_last": in_last,
            "before": before, "after": after, "times": times, "sum": sum, "distinct": distinct, "within": within,
            "since": since, "where": where, "down_by": down_by, "against": against, "from": from_, "then": then,
            "not_then": not_then,
        }
    )  # fmt: skip
    return _condition({name: asked or value, "because": because})


def _condition(fields: Mapping[str, object]) -> SpelledCondition:
    held = {key: value for key, value in fields.items() if key != "because" or value is not None}
    return SpelledCondition(value=held, place=_place(3))
