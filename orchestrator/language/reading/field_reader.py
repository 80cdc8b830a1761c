"""Takes a map apart by its known fields and says what is wrong with each, without stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import time
from decimal import Decimal
from typing import TypeVar

from orchestrator.language.model import Percent, Scalar
from orchestrator.language.moments import Ago, Duration, Moment
from orchestrator.language.problems import Problems, did_you_mean, one_of, shown
from orchestrator.language.reading.moments import MomentError, parse_clock, parse_duration, parse_moment
from orchestrator.language.reading.tree import Items, Leaf, Map, MapEntry, Node, came

T = TypeVar("T")

PERCENT = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?) ?%")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*")


class Fields:
    """One map whose fields are a closed list. ``what`` names it in messages, such as ``step 'email'``."""

    def __init__(self, node: Map, what: str, known: Sequence[str], problems: Problems) -> None:
        self.node = node
        self.what = what
        self.place = node.place
        self.problems = problems
        self._entries = {entry.key: entry for entry in node.entries}
        for entry in node.entries:
            if entry.key not in known:
                hint = did_you_mean(entry.key, known) or f"; the fields are {one_of(known)}"
                problems.error(entry.place, f"{what}: {shown(entry.key)} is no field here{hint}")

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def entry(self, key: str) -> MapEntry | None:
        return self._entries.get(key)

    def node_of(self, key: str) -> Node | None:
        entry = self._entries.get(key)
        return entry.node if entry else None

    def required(self, key: str, expected: str) -> bool:
        """Whether the field is there; a problem says what was expected when it is not."""
        if key in self._entries:
            return True
        self.problems.error(self.place, f"{self.what}: '{key}' is missing: expected {expected}")
        return False

    def read(self, key: str, reader: Callable[[Node, str, Problems], T]) -> T | None:
        """The field through one of the readers of this module; None when absent or wrong."""
        node = self.node_of(key)
        return None if node is None else reader(node, f"{self.what}: {key}", self.problems)

    def inner(self, key: str, known: Sequence[str]) -> Fields:
        """The fields of a nested map; none of them when it is absent or wrong."""
        node = self.node_of(key)
        what = f"{self.what}: {key}"
        found = fields(node, what, known, self.problems) if node is not None else None
        return found or Fields(Map(entries=(), place=self.place), what, known, self.problems)

    def error(self, key: str, message: str) -> None:
        entry = self._entries.get(key)
        self.problems.error(entry.node.place if entry else self.place, f"{self.what}: {message}")


def fields(node: Node, what: str, known: Sequence[str], problems: Problems) -> Fields | None:
    """The fields of a map; None, with a problem, when the node is none."""
    if isinstance(node, Map):
        return Fields(node, what, known, problems)
    problems.error(node.place, f"{what}: expected a mapping with {one_of(known)}, got {came(node)}")
    return None


def text(node: Node, what: str, problems: Problems) -> str | None:
    """Words for people: any scalar but nothing."""
    if isinstance(node, Leaf) and not node.empty:
        return node.text
    problems.error(node.place, f"{what}: expected a text, got {came(node)}")
    return None


def name(node: Node, what: str, problems: Problems) -> str | None:
    """A word of letters, digits and underscores."""
    if isinstance(node, Leaf) and NAME.fullmatch(node.text) and len(node.text) <= 80:
        return node.text
    problems.error(node.place, f"{what}: expected a name of letters, digits and _, got {came(node)}")
    return None


def names(node: Node, what: str, problems: Problems) -> tuple[str, ...] | None:
    """One name or a list of them."""
    nodes = node.nodes if isinstance(node, Items) else (node,)
    if not nodes:
        problems.error(node.place, f"{what}: expected at least one name, got an empty list")
    found = [name(one, what, problems) for one in nodes]
    return None if None in found or not found else tuple(one for one in found if one is not None)


def dotted(node: Node, what: str, problems: Problems) -> str | None:
    """A name of the namespace, perhaps dotted like ``answer.why_not``."""
    if isinstance(node, Leaf) and DOTTED.fullmatch(node.text) and len(node.text) <= 160:
        return node.text
    problems.error(node.place, f"{what}: expected a name, got {came(node)}")
    return None


def whole(
    node: Node, what: str, problems: Problems, *, least: int = 0, most: int = 1_000_000_000
) -> int | None:
    """A whole number within bounds."""
    if isinstance(node, Leaf) and isinstance(node.value, int) and not isinstance(node.value, bool):
        if least <= node.value <= most:
            return node.value
        problems.error(
            node.place, f"{what}: expected a whole number from {least} to {most}, got {node.value}"
        )
        return None
    problems.error(node.place, f"{what}: expected a whole number, got {came(node)}")
    return None


def number(node: Node, what: str, problems: Problems) -> Decimal | None:
    """Any plain number."""
    if isinstance(node, Leaf) and isinstance(node.value, int | Decimal) and not isinstance(node.value, bool):
        return Decimal(node.value)
    problems.error(node.place, f"{what}: expected a number, got {came(node)}")
    return None


def percent(node: Node, what: str, problems: Problems) -> Percent | None:
    """A share such as ``10%``, from 0% to 100%."""
    share = percent_in(node)
    if share is None:
        hint = (
            f"; did you mean '{node.text}%'?"
            if isinstance(node, Leaf) and isinstance(node.value, int)
            else ""
        )
        problems.error(node.place, f"{what}: expected a percent such as 10%, got {came(node)}{hint}")
    elif not 0 <= share <= 1:
        problems.error(node.place, f"{what}: expected a percent from 0% to 100%, got {came(node)}")
        return None
    return share


def percent_in(node: Node) -> Percent | None:
    found = PERCENT.fullmatch(node.text) if isinstance(node, Leaf) else None
    return Percent(Decimal(found[1]) / 100) if found else None


def flag(node: Node, what: str, problems: Problems) -> bool | None:
    if isinstance(node, Leaf) and isinstance(node.value, bool):
        return node.value
    problems.error(node.place, f"{what}: expected true or false, got {came(node)}")
    return None


def duration(node: Node, what: str, problems: Problems) -> Duration | None:
    return _moment(node, what, problems, parse_duration)


def moment(node: Node, what: str, problems: Problems) -> Moment | None:
    """A duration or a moment that lies ahead."""
    found = _moment(node, what, problems, parse_moment)
    if isinstance(found, Ago):
        problems.error(
            node.place, f"{what}: '{found}' is in the past; it is for before and after in conditions"
        )
        return None
    return found


def any_moment(node: Node, what: str, problems: Problems) -> Moment | None:
    """A moment for a comparison, which may lie in the past."""
    return _moment(node, what, problems, parse_moment)


def clock(node: Node, what: str, problems: Problems) -> time | None:
    return _moment(node, what, problems, parse_clock)


def scalar(node: Node, what: str, problems: Problems) -> Scalar | None:
    """A literal: text, number, flag or percent; nothing and null are refused."""
    if isinstance(node, Leaf) and not node.empty:
        share = percent_in(node)
        return node.value if share is None else share
    problems.error(node.place, f"{what}: expected a value, got {came(node)}")
    return None


def choice(words: Iterable[str]) -> Callable[[Node, str, Problems], str | None]:
    """A reader of one word out of a closed list."""
    known = tuple(words)

    def read(node: Node, what: str, problems: Problems) -> str | None:
        if isinstance(node, Leaf) and node.text in known:
            return node.text
        hint = did_you_mean(node.text, known) if isinstance(node, Leaf) else ""
        problems.error(node.place, f"{what}: expected {one_of(known)}, got {came(node)}{hint}")
        return None

    return read


def _moment(node: Node, what: str, problems: Problems, parse: Callable[[str], T]) -> T | None:
    if not isinstance(node, Leaf) or node.empty:
        problems.error(node.place, f"{what}: expected a duration such as 12h or 2d, got {came(node)}")
        return None
    try:
        return parse(node.text)
    except MomentError as error:
        problems.error(node.place, f"{what}: {error}")
        return None


def unknown(word: str, kind: str, known: Iterable[str]) -> str:
    """The message about a name that nobody declared."""
    return f"{shown(word)} is no declared {kind}{did_you_mean(word, known)}"
