"""Spans and moments: the one way a playbook writes *how long* and *when*.

Only the values live here. Reading them from text is :mod:`orchestrator.language.reading.moments`; turning one into an
instant is :mod:`orchestrator.language.conditions.resolve`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Literal

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Unit = Literal["min", "h", "d", "w"]
Day = Weekday | Literal["any", "tomorrow", "workday"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Duration:
    """A span such as ``12h``. ``count`` and ``unit`` keep the author's spelling; ``1d`` is 24 h when it is waited."""

    count: int
    unit: Unit

    @property
    def span(self) -> timedelta:
        minutes = {"min": 1, "h": 60, "d": 1440, "w": 10080}[self.unit]
        return timedelta(minutes=self.count * minutes)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockTime:
    """``next 09:00``, ``tomorrow 09:00``, ``next monday 09:00``, ``next workday 09:00`` in the customer's zone.

    ``day="any"`` is ``next HH:MM``: strictly later, perhaps only minutes away.
    """

    day: Day
    at: time

    def __str__(self) -> str:
        words = {"any": "next", "tomorrow": "tomorrow"}.get(self.day, f"next {self.day}")
        return f"{words} {self.at:%H:%M}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchored:
    """``30d before event_starts``, ``21d after trial_started at 09:00``, or a bare anchor.

    Around an anchor days and weeks are calendar days in the customer's zone, at ``at`` (None: the anchor's own
    instant for hours and minutes or no offset, else the account's ``day_starts``).
    """

    anchor: str
    offset: Duration | None = None
    direction: Literal["before", "after"] = "after"
    at: time | None = None

    def __str__(self) -> str:
        head = f"{self.offset} {self.direction} " if self.offset else ""
        tail = f" at {self.at:%H:%M}" if self.at else ""
        return f"{head}{self.anchor}{tail}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ago:
    """``60d ago``: an instant in the past, for date comparisons only."""

    span: Duration

    def __str__(self) -> str:
        return f"{self.span} ago"


def duration_of(span: timedelta) -> Duration | None:
    """The span as the language writes it, in the largest unit but weeks; None when it is not of whole minutes."""
    minutes, rest = divmod(span, timedelta(minutes=1))
    if rest or minutes < 1:
        return None
    if minutes % 1440 == 0:
        return Duration(count=minutes // 1440, unit="d")
    return (
        Duration(count=minutes // 60, unit="h") if minutes % 60 == 0 else Duration(count=minutes, unit="min")
    )


Moment = Duration | ClockTime | Anchored | Ago
