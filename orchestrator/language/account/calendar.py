"""calendar.yaml: events everybody shares, or the names of a customer's own date attributes.

::

    black_friday:
      - {key: bf-2026, name: Black Friday, starts: "2026-11-27", ends: "2026-11-30"}
    own_season: {starts: season_starts, ends: season_ends, name: your busy season}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from orchestrator.language.problems import PlacedProblem, Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.tree import Items, Leaf, Map, MapEntry, Node, came
from orchestrator.language.reading.yaml_tree import read_yaml, read_yaml_file

CALENDAR_ROW = ("key", "name", "starts", "ends")
CALENDAR_OWN = ("starts", "ends", "name")


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarRow:
    """One event of a calendar. ``ends`` is its last day."""

    key: str
    name: str
    starts: date
    ends: date


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnDates:
    """A calendar that every customer has alone: the attributes that hold its days."""

    starts: str
    ends: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Calendars:
    rows: tuple[tuple[str, tuple[CalendarRow, ...]], ...] = ()
    own: tuple[tuple[str, OwnDates], ...] = ()

    @cached_property
    def named(self) -> Mapping[str, tuple[CalendarRow, ...] | OwnDates]:
        return {**dict(self.rows), **dict(self.own)}


def read_calendars(text: str, path: str = "calendar.yaml") -> tuple[Calendars, list[PlacedProblem]]:
    """The calendars of a text, and everything wrong with it."""
    problems = Problems()
    return _calendars(read_yaml(text, path, problems), problems), problems.sorted()


def read_calendars_file(path: Path, shown_as: str | None = None) -> tuple[Calendars, list[PlacedProblem]]:
    """The calendars of a file; an absent file has none."""
    problems = Problems()
    if not path.exists():
        return Calendars(), []
    return _calendars(read_yaml_file(path, problems, shown_as=shown_as), problems), problems.sorted()


def _calendars(tree: Node | None, problems: Problems) -> Calendars:
    if tree is None:
        return Calendars()
    if not isinstance(tree, Map):
        problems.error(tree.place, f"calendar: expected calendars by name, got {came(tree)}")
        return Calendars()
    rows: list[tuple[str, tuple[CalendarRow, ...]]] = []
    own: list[tuple[str, OwnDates]] = []
    for entry in tree.entries:
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"calendar: expected a name, got {shown(entry.key)}")
        elif isinstance(entry.node, Map):
            dates = _own(entry, problems)
            if dates:
                own.append((entry.key, dates))
        elif isinstance(entry.node, Items):
            found = [_row(node, f"calendar '{entry.key}'", problems) for node in entry.node.nodes]
            rows.append((entry.key, tuple(row for row in found if row)))
            _refuse_double_keys(entry, [row.key for row in found if row], problems)
        else:
            problems.error(entry.node.place, f"calendar '{entry.key}': expected rows, got {came(entry.node)}")
    return Calendars(rows=tuple(rows), own=tuple(own))


def _refuse_double_keys(entry: MapEntry, keys: list[str], problems: Problems) -> None:
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            problems.error(entry.place, f"calendar '{entry.key}': two rows have the key {shown(key)}")


def _own(entry: MapEntry, problems: Problems) -> OwnDates | None:
    found = read.fields(entry.node, f"calendar '{entry.key}'", CALENDAR_OWN, problems)
    if found is None or not found.required("starts", "the attribute that holds the first day"):
        return None
    starts, ends = found.read("starts", read.dotted), found.read("ends", read.dotted)
    name = found.read("name", read.text)
    return (
        OwnDates(starts=starts, ends=ends or starts, name=name or entry.key.replace("_", " "))
        if starts
        else None
    )


def _row(node: Node, what: str, problems: Problems) -> CalendarRow | None:
    found = read.fields(node, what, CALENDAR_ROW, problems)
    if found is None:
        return None
    for part in ("key", "name", "starts"):
        found.required(part, 'a date such as "2026-11-27"' if part == "starts" else "a text")
    key, name = found.read("key", read.text), found.read("name", read.text)
    starts, ends = found.read("starts", _day), found.read("ends", _day)
    if not key or not name or starts is None:
        return None
    if ends is not None and ends < starts:
        found.error("ends", "ends lies before starts")
    return CalendarRow(key=key, name=name, starts=starts, ends=ends or starts)


def _day(node: Node, what: str, problems: Problems) -> date | None:
    try:
        if isinstance(node, Leaf) and len(node.text) == 10:
            return date.fromisoformat(node.text)
    except ValueError:
        pass
    problems.error(node.place, f'{what}: expected a date such as "2026-11-27", got {came(node)}')
    return None
