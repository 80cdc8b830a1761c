"""Turns a moment into the instant it means for one customer.

Wall times follow RFC 5545: a time that a clock change skips is read by the offset before the change (so it comes
later), one that happens twice is the first. None: the anchor has no value, or the answer lies outside the calendar.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import assert_never, get_args
from zoneinfo import ZoneInfo

from orchestrator.language.conditions.values import as_instant, local_day, wall
from orchestrator.language.moments import Ago, Anchored, ClockTime, Day, Duration, Moment, Weekday

_WEEKDAYS = get_args(Weekday)
_DAYS_TO_TRY = 10  # a week, and a few more for a day that a zone change left out


def resolve(
    moment: Moment,
    *,
    now: datetime,
    zone: ZoneInfo,
    anchor: Callable[[str], datetime | date | None],
    day_starts: time,
) -> datetime | None:
    """The UTC instant of ``moment`` seen from ``now``.

    ``anchor`` gives an anchor's value: an instant, or a date, which is a calendar day in ``zone``.
    """
    now = now.astimezone(UTC)
    try:
        match moment:
            case Duration():
                return now + moment.span
            case Ago():
                return now - moment.span.span
            case ClockTime():
                return _next(moment, now, zone)
            case Anchored():
                value = anchor(moment.anchor)
                return None if value is None else _around(moment, value, zone, day_starts)
            case _:
                assert_never(moment)
    except OverflowError:
        return None


def _next(moment: ClockTime, now: datetime, zone: ZoneInfo) -> datetime | None:
    today = local_day(now, zone)
    if today is None:
        return None
    if moment.day == "tomorrow":
        return wall(today + timedelta(days=1), moment.at, zone)
    for ahead in range(_DAYS_TO_TRY):
        day = today + timedelta(days=ahead)
        if _is_day(moment.day, day):
            instant = wall(day, moment.at, zone)
            if instant is None or instant > now:
                return instant
    return None  # pragma: no cover - ten days hold every weekday


def _is_day(wanted: Day, day: date) -> bool:
    if wanted == "workday":
        return day.weekday() < 5
    return wanted == "any" or _WEEKDAYS[day.weekday()] == wanted


def _around(moment: Anchored, value: datetime | date, zone: ZoneInfo, day_starts: time) -> datetime | None:
    sign = -1 if moment.direction == "before" else 1
    span = moment.offset.span * sign if moment.offset else timedelta()
    by_days = moment.at is not None or (moment.offset is not None and moment.offset.unit in ("d", "w"))
    if not by_days:
        instant = as_instant(value, zone, day_starts)
        return None if instant is None else instant + span
    day = local_day(value, zone) if isinstance(value, datetime) else value
    return None if day is None else wall(day + span, moment.at or day_starts, zone)
