"""Reads durations and moments from the one way they are written, and explains what is wrong with the rest.

Writing one back is ``str(moment)``.
"""

from __future__ import annotations

import re
from datetime import time
from typing import cast, get_args

from orchestrator.errors import OrchestratorError
from orchestrator.language.moments import Ago, Anchored, ClockTime, Day, Duration, Moment, Unit, Weekday
from orchestrator.language.problems import did_you_mean, shown

LONGEST_DAYS = 3660  # ten years: beyond it a span is a slip of the keyboard, and dates could overflow
NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*"

_DURATION = re.compile(r"([0-9]+)(min|h|d|w)")
_NEAR_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})")
_NEXT = re.compile(r"(?:(next)(?: +([a-z]+))?|(tomorrow)) +(\S+)")
_AGO = re.compile(r"(\S+) +ago")
_ANCHORED = re.compile(rf"(?:(\S+) +(before|after) +)?({NAME})(?: +at +(\S+))?")
_RESERVED = frozenset({"next", "tomorrow", "ago", "before", "after", "at", "now", "today"})

EXPECTED_DURATION = "expected a duration such as 30min, 12h, 2d or 3w"
EXPECTED_MOMENT = (
    "expected a duration (12h, 2d) or a moment (next 09:00, tomorrow 09:00, next monday 09:00, next workday 09:00, "
    "30d before event_starts, 21d after trial_started at 09:00, event_ends)"
)


class MomentError(OrchestratorError, ValueError):
    """The text is not a duration or moment; the message says what was expected and what came."""


def parse_duration(text: str) -> Duration:
    """``12h`` to a :class:`Duration`; raises :class:`MomentError`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise MomentError(f"{EXPECTED_DURATION}, got {shown(text)}{_unit_hint(text)}")
    count, unit = match.groups()
    if len(count) > 7:
        raise MomentError(f"{shown(text)} is too long: at most {LONGEST_DAYS}d")
    number = int(count)
    if number < 1:
        raise MomentError(f"{EXPECTED_DURATION}, got {shown(text)}: a duration is at least one unit long")
    duration = Duration(count=number, unit=cast("Unit", unit))
    if duration.span.days > LONGEST_DAYS:
        raise MomentError(f"{shown(text)} is too long: at most {LONGEST_DAYS}d")
    return duration


def parse_moment(text: str) -> Moment:
    """Any moment of the language, ``60d ago`` included; raises :class:`MomentError`."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        return parse_duration(text)
    clock = _NEXT.fullmatch(text)
    if clock is not None:
        return _clock_time(text, *clock.groups())
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return Ago(span=parse_duration(ago[1]))
    anchored = _ANCHORED.fullmatch(text)
    if anchored is not None and anchored[3] not in _RESERVED:
        return _anchored(text, *anchored.groups())
    raise MomentError(f"{EXPECTED_MOMENT}, got {shown(text)}{_unit_hint(text)}")


def parse_clock(text: str) -> time:
    """``09:00`` to a time of day; raises :class:`MomentError`."""
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise MomentError(f"expected a time of day from 00:00 to 23:59 written HH:MM, got {shown(text)}")
    return time(int(match[1]), int(match[2]))


def _clock_time(
    text: str, following: str | None, day: str | None, tomorrow: str | None, at: str
) -> ClockTime:
    if tomorrow:
        return ClockTime(day="tomorrow", at=parse_clock(at))
    if following and day is None:
        return ClockTime(day="any", at=parse_clock(at))
    days = (*get_args(Weekday), "workday")
    if day not in days:
        raise MomentError(
            f"expected a weekday or 'workday' after 'next', got {shown(day)} in {shown(text)}"
            f"{did_you_mean(str(day), days)}"
        )
    return ClockTime(day=cast("Day", day), at=parse_clock(at))


def _anchored(text: str, offset: str | None, direction: str | None, anchor: str, at: str | None) -> Anchored:
    span = parse_duration(offset) if offset else None
    clock = parse_clock(at) if at else None
    if span is not None and clock is not None and span.unit not in ("d", "w"):
        raise MomentError(f"'at HH:MM' goes with days or weeks around an anchor, got {shown(text)}")
    if direction == "before":
        return Anchored(anchor=anchor, offset=span, direction="before", at=clock)
    return Anchored(anchor=anchor, offset=span, direction="after", at=clock)


def _unit_hint(text: str) -> str:
    """Why a text that begins like a duration is none."""
    near = _NEAR_DURATION.match(text.strip())
    if near is None:
        return ""
    number, unit = near.groups()
    if unit == "m":
        return f"; 'm' could be minutes or months: write {number}min, or days such as {number}0d"
    if "." in number:
        return "; write a whole number of a smaller unit"
    spelled = {"minute": "min", "mins": "min", "hour": "h", "hr": "h", "day": "d", "week": "w", "s": "min"}
    short = spelled.get(unit.lower()) or spelled.get(unit.lower().rstrip("s")) or unit.lower()
    if short in ("min", "h", "d", "w"):
        return f"; did you mean '{number}{short}'?"
    return "; the units are min, h, d and w"
