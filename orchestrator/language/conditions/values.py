"""Turns the JSON values a customer's facts hold into what can be compared: numbers, dates, instants.

Each function answers None for a value of another kind, which makes the comparison false. SQL follows the same rules:
an instant without an offset is UTC, a text is never read as a number, a flag is never a number.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo


def as_number(value: Any) -> Decimal | None:
    """The number ``value`` is; None for flags, texts, NaN and infinities."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        try:
            number = Decimal(repr(value))
        except InvalidOperation:  # pragma: no cover - repr of a float is always a number
            return None
        return number if number.is_finite() else None
    return None


def as_time(value: Any) -> datetime | date | None:
    """The date or the UTC instant ``value`` is, from an ISO 8601 text or the Python value."""
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        return _utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None


def as_instant(value: datetime | date, zone: ZoneInfo, at: time = time(0)) -> datetime | None:
    """A date is ``at`` (else its first moment) in ``zone``; an instant is itself."""
    if isinstance(value, datetime):
        return _utc(value)
    return wall(value, at, zone)


def wall(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """A wall time as a UTC instant by RFC 5545: in a gap by the offset before it, in a fold the first."""
    try:
        return datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def local_day(instant: datetime, zone: ZoneInfo) -> date | None:
    try:
        return instant.astimezone(zone).date()
    except (ValueError, OverflowError):
        return None


def _utc(value: datetime) -> datetime | None:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
