"""calendar.yaml: events everybody shares, or the names of a customer's own date attributes.

::

    black_friday:
      - {key: bf-2026, name: Black Friday, starts: "2026-11-27", ends: "2026-11-30"}
    own_season: {starts: season_starts, ends: season_ends, name: your busy season}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

from orchestrator.language.fields import Field, keys_of
from orchestrator.language.problems import PlacedProblem, Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.blocks import attributes_of
from orchestrator.language.reading.tree import Items, Map, MapEntry, Node, came
from orchestrator.language.reading.yaml_tree import read_yaml, read_yaml_file


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarRow:
    """One event of a calendar. ``ends`` is its last day."""

    key: Annotated[
        str,
        Field(
            "text",
            "makes the event happen once for each customer, with `reentry: {per: event_key}`",
            needs="a text",
        ),
    ]
    name: Annotated[str, Field("text", "its words", needs="a text")]
    starts: Annotated[date, Field("date", "its first day", needs='a date such as "2026-11-27"')]
    ends: Annotated[date, Field("date", "its last day; without it the event is one day long")]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnDates:
    """A calendar that each customer has apart: the attributes that hold its days."""

    starts: Annotated[
        str,
        Field("dotted", "the attribute of the first day", needs="the attribute that holds the first day"),
    ]
    ends: Annotated[str, Field("dotted", "that of the last day; default the first")]
    name: Annotated[str, Field("text", "what messages call it; default the calendar's name")]


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
    found = read.fields(entry.node, f"calendar '{entry.key}'", keys_of(OwnDates), problems)
    attributes = attributes_of(OwnDates, found) if found is not None else {}
    starts = attributes.get("starts")
    if starts is None:
        return None
    return OwnDates(**{"ends": starts, "name": entry.key.replace("_", " "), **attributes})


def _row(node: Node, what: str, problems: Problems) -> CalendarRow | None:
    found = read.fields(node, what, keys_of(CalendarRow), problems)
    attributes = attributes_of(CalendarRow, found) if found is not None else {}
    if found is None or not {"key", "name", "starts"} <= attributes.keys():
        return None
    row = CalendarRow(**{"ends": attributes["starts"], **attributes})
    if row.ends < row.starts:
        found.error("ends", "ends lies before starts")
        return replace(row, ends=row.starts)
    return row
