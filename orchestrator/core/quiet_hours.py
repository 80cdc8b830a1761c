"""Quiet hours: the next instant at which a channel may speak, whatever the clocks do.

A window begins at ``from`` (still quiet) and ends at ``until`` (allowed again). ``until`` at or before ``from`` is on
the following day, so equal times mean a whole day; weekdays are those of the beginning. Both ends become instants as
RFC 5545 says (a wall time that a clock change skips is read with the offset before it, a repeated one is the first),
and every instant whose wall time lies inside the window is quiet too. Where those two readings differ, on the nights
when clocks change, both are obeyed.

A channel that wakes people (texts to a phone) fails closed: the instant must be allowed in every plausible zone
(everywhere on earth when none is known) and under every regional rule that may apply. Other channels look at the first
zone, or UTC without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import get_args
from zoneinfo import ZoneInfo

from channels.table import traits_of
from orchestrator.core.zones import zone
from orchestrator.language.model import QuietWindow
from orchestrator.language.moments import Weekday

HORIZON = timedelta(days=8)  # a weekday rule repeats within it: what is silent so long is silent for ever

Interval = tuple[datetime, datetime]
WallSpan = tuple[str, str, frozenset[str]]  # from, until, weekdays (none: every day)

_DAY = timedelta(days=1)
_WEEKDAYS: tuple[str, ...] = get_args(Weekday)

# Together they show every offset from UTC in use anywhere, in every season.
_EVERYWHERE = (
    "Etc/GMT+12", "Pacific/Pago_Pago", "Pacific/Honolulu", "America/Adak", "Pacific/Marquesas", "America/Anchorage",
    "America/Los_Angeles", "America/Phoenix", "America/Denver", "America/Regina", "America/Chicago",
    "America/Bogota", "America/New_York", "America/Caracas", "America/Santiago", "America/Halifax",
    "America/St_Johns", "America/Sao_Paulo", "America/Nuuk", "America/Noronha", "Atlantic/Azores",
    "Atlantic/Cape_Verde", "UTC", "Europe/London", "Africa/Lagos", "Europe/Berlin", "Africa/Johannesburg",
    "Europe/Athens", "Europe/Moscow", "Asia/Tehran", "Asia/Dubai", "Asia/Kabul", "Asia/Karachi", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Dhaka", "Asia/Yangon", "Asia/Bangkok", "Asia/Shanghai", "Australia/Eucla", "Asia/Tokyo",
    "Australia/Darwin", "Australia/Adelaide", "Australia/Brisbane", "Australia/Sydney", "Australia/Lord_Howe",
    "Pacific/Guadalcanal", "Pacific/Norfolk", "Pacific/Fiji", "Pacific/Auckland", "Pacific/Chatham",
    "Pacific/Tongatapu", "Pacific/Kiritimati",
)  # fmt: skip


def windows_for(channel: str, windows: Iterable[QuietWindow]) -> tuple[QuietWindow, ...]:
    """The windows a channel obeys: its own, and those of the channels that ring the same phone."""
    names = {channel, *traits_of(channel).quiet_hours_of}
    return tuple(window for window in windows if window.channel in names)


def next_allowed(
    now: datetime,
    channel: str,
    region: str | None,
    zones: Sequence[ZoneInfo],
    windows: Iterable[QuietWindow],
) -> datetime | None:
    """The first instant from ``now`` on at which every window is open; None when there is none within 8 days.

    Returns ``now`` itself when nothing is quiet.
    """
    spans, judged = _rules(channel, region, zones, windows)
    moment = now.astimezone(UTC)
    while moment < now + HORIZON:
        ends = [
            end
            for place in judged
            for begin, end in _intervals_near(moment, place, spans)
            if begin <= moment < end
        ]
        if not ends:
            return moment
        moment = max(ends)
    return None


def silent_from(
    now: datetime,
    channel: str,
    region: str | None,
    zones: Sequence[ZoneInfo],
    windows: Iterable[QuietWindow],
) -> datetime | None:
    """The first instant after ``now`` at which a window begins: until then a provider may still deliver. None when
    nothing begins within two days."""
    spans, judged = _rules(channel, region, zones, windows)
    begins = [
        begin
        for place in judged
        for day in (now, now + _DAY)
        for begin, _ in _intervals_near(day, place, spans)
        if begin > now
    ]
    return min(begins, default=None)


def everywhere() -> tuple[ZoneInfo, ...]:
    """Zones that together show every offset in use: where a customer of whom nothing is known may be."""
    return tuple(found for name in _EVERYWHERE if (found := zone(name)) is not None)


def _rules(
    channel: str, region: str | None, zones: Sequence[ZoneInfo], windows: Iterable[QuietWindow]
) -> tuple[list[WallSpan], Sequence[ZoneInfo]]:
    """The silent spans of a day that hold for the channel and region, and the zones they are judged in."""
    closed = traits_of(channel).fails_closed
    spans: list[WallSpan] = [
        (*hours, frozenset(window.weekdays))
        for window in windows_for(channel, windows)
        for hours in _hours(window, region, closed=closed)
    ]
    return spans, _judged(zones, closed=closed)


def _judged(zones: Sequence[ZoneInfo], *, closed: bool) -> Sequence[ZoneInfo]:
    if closed:
        return zones or everywhere()
    return zones[:1] or (ZoneInfo("UTC"),)


def _hours(window: QuietWindow, region: str | None, *, closed: bool) -> set[tuple[str, str]]:
    """The (from, until) that may hold for a region: the most particular rule, US-FL before US before the general.

    A channel that fails closed also obeys the rules of the places the customer may be in for all that is known.
    """
    here = region.upper() if region else ""
    rules = {code.upper(): hours for code, hours in window.regions}
    own = [code for code in rules if here == code or here.startswith(f"{code}-")]
    hours = {rules[max(own, key=len)] if own else (window.from_, window.until)}
    if closed:
        hours |= {rule for code, rule in rules.items() if not here or code.startswith(f"{here}-")}
    return hours


def _intervals_near(moment: datetime, place: ZoneInfo, spans: Iterable[WallSpan]) -> Iterator[Interval]:
    today = moment.astimezone(place).date()
    days = [today + _DAY * count for count in (-2, -1, 0, 1)]  # a clock change may reach over midnight
    for begins, ends, weekdays in spans:
        for day in days:
            if not weekdays or _WEEKDAYS[day.weekday()] in weekdays:
                yield from _intervals(day, begins, ends, place)


@lru_cache(maxsize=65_536)
def _intervals(day: date, begins: str, ends: str, place: ZoneInfo) -> tuple[Interval, ...]:
    """The silent intervals, half-open, of the window that begins on this local day."""
    first = _wall(day, begins)
    last = _wall(day, ends)
    if last <= first:
        last += _DAY
    silent = (_instant(first, place), _instant(last, place))
    early, late = silent[0] - 2 * _DAY, silent[1] + 2 * _DAY
    before, after = _offset(early, place), _offset(late, place)
    if before == after:
        return (silent,)
    change = _change(early, late, place)
    return (
        silent,
        *_unless_empty(_utc(first - before), min(_utc(last - before), change)),
        *_unless_empty(max(_utc(first - after), change), _utc(last - after)),
    )


def _wall(day: date, clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime.combine(day, time()) + timedelta(hours=hour, minutes=minute)  # 24:00 is the next midnight


def _instant(wall: datetime, place: ZoneInfo) -> datetime:
    """RFC 5545 3.3.5, which is what fold=0 means: skipped wall times by the offset before, repeated ones the first."""
    return wall.replace(tzinfo=place, fold=0).astimezone(UTC)


def _utc(naive: datetime) -> datetime:
    return naive.replace(tzinfo=UTC)


def _offset(moment: datetime, place: ZoneInfo) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta()


def _change(early: datetime, late: datetime, place: ZoneInfo) -> datetime:
    """The first instant of the new offset, by halving the span in which the offset is known to change."""
    before = _offset(early, place)
    while (seconds := int((late - early).total_seconds())) > 1:
        middle = early + timedelta(seconds=seconds // 2)
        if _offset(middle, place) == before:
            early = middle
        else:
            late = middle
    return late


def _unless_empty(begin: datetime, end: datetime) -> Iterator[Interval]:
    if begin < end:
        yield begin, end
