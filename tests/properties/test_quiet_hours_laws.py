"""Quiet hours hold in every zone, on every night: judged by a wall clock and a calendar, not by the engine's sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.core.quiet_hours import HORIZON, next_allowed
from orchestrator.core.zones import zone, zone_names
from orchestrator.language.model import QuietWindow
from tests.support.effort import examples
from tests.support.policy_requests import BERLIN, silence

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# --- the judge ------------------------------------------------------------------------------------------------------


def clock(text: str) -> time:
    return time.fromisoformat(text)


def begins_on(window: QuietWindow, day: date) -> bool:
    return not window.weekdays or WEEK[day.weekday()] in window.weekdays


def the_wall_clock_says_quiet(moment: datetime, place: ZoneInfo, window: QuietWindow) -> bool:
    wall = moment.astimezone(place)
    begin, end, shown = clock(window.from_), clock(window.until), wall.time().replace(tzinfo=None)
    today, yesterday = begins_on(window, wall.date()), begins_on(window, wall.date() - DAY)
    if begin < end:
        return today and begin <= shown < end
    return (today and shown >= begin) or (yesterday and shown < end)


def the_calendar_says_quiet(moment: datetime, place: ZoneInfo, window: QuietWindow) -> bool:
    """RFC 5545: both ends as instants, a skipped time by the offset before it, a repeated one the first."""
    today = moment.astimezone(place).date()
    begin, end = clock(window.from_), clock(window.until)
    for day in (today - DAY - DAY, today - DAY, today, today + DAY):
        last = day if begin < end else day + DAY
        starts = datetime.combine(day, begin, place).astimezone(UTC)
        if begins_on(window, day) and starts <= moment < datetime.combine(last, end, place).astimezone(UTC):
            return True
    return False


def is_quiet(moment: datetime, zones: Sequence[ZoneInfo], windows: Sequence[QuietWindow]) -> bool:
    return any(
        the_wall_clock_says_quiet(moment, place, window) or the_calendar_says_quiet(moment, place, window)
        for place in zones
        for window in windows
    )


# --- the world ------------------------------------------------------------------------------------------------------


@cache
def the_zones() -> tuple[ZoneInfo, ...]:
    return tuple(found for name in sorted(zone_names()) if (found := zone(name)))


def offset(moment: datetime, place: ZoneInfo) -> timedelta | None:
    return moment.astimezone(place).utcoffset()


@cache
def clock_changes(place: ZoneInfo) -> tuple[datetime, ...]:
    """Days within which the clocks of a zone change, to the hour."""
    found = []
    day = FIRST
    while day < LAST:
        if offset(day, place) != offset(day + DAY, place):
            hours = [day + timedelta(hours=hour) for hour in range(24)]
            found += [at for at in hours if offset(at, place) != offset(at + timedelta(hours=1), place)]
        day += DAY
    return tuple(found)


@cache
def kinds_of_zone() -> tuple[ZoneInfo, ...]:
    """One zone of each behaviour: names that keep the same time on every day of the two years are one kind."""
    days = [FIRST + count * DAY for count in range((LAST - FIRST).days)]
    return tuple({tuple(offset(day, place) for day in days): place for place in the_zones()}.values())


clocks = st.times().map(lambda at: f"{at:%H:%M}")
weekdays = st.sets(st.sampled_from(WEEK), max_size=4).map(lambda days: tuple(sorted(days)))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def windows(draw: st.DrawFn) -> QuietWindow:
    return silence("sms", draw(clocks), draw(clocks), weekdays=draw(weekdays))


@st.composite
def nights(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """Any zone at any instant, more often than not within hours of a change of its clocks."""
    place = draw(st.sampled_from(the_zones()))
    changes = clock_changes(place)
    if not changes or draw(st.integers(0, 3)) == 0:
        return place, draw(moments)
    return place, draw(st.sampled_from(changes)) + timedelta(minutes=draw(st.integers(-30 * 60, 6 * 60)))


def samples(now: datetime, found: datetime, count: int = 60) -> Iterator[datetime]:
    """Instants of [now, found): both ends to the second, and whole minutes between, near the end more often."""
    yield now
    yield max(found - timedelta(seconds=1), now)
    minutes = int((found - now) / MINUTE)
    for step in range(1, min(minutes, count)):
        yield found - step * MINUTE
        yield now + (minutes * step // count) * MINUTE


# --- the laws -------------------------------------------------------------------------------------------------------


@settings(max_examples=examples(600), deadline=None)
@given(nights(), st.lists(windows(), min_size=1, max_size=3))
@example((BERLIN, datetime(2027, 3, 27, 22, tzinfo=UTC)), [silence("sms", "20:00", "02:30")])
@example((BERLIN, datetime(2026, 10, 24, 22, tzinfo=UTC)), [silence("sms", "02:30", "02:10")])
def test_the_instant_given_is_allowed_and_nothing_before_it_was(
    night: tuple[ZoneInfo, datetime], silent: list[QuietWindow]
) -> None:
    place, now = night

    found = next_allowed(now, "sms", None, (place,), silent)

    if found is not None:
        assert found >= now
        assert not is_quiet(found, (place,), silent)
    end = found or now + HORIZON
    if end > now:
        assert all(is_quiet(moment, (place,), silent) for moment in samples(now, end))


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.sampled_from(("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
                                 "America/St_Johns", "Africa/Casablanca", "Pacific/Chatham")),
                min_size=2, max_size=4, unique=True), moments, st.lists(windows(), min_size=1, max_size=2))  # fmt: skip
def test_a_text_is_allowed_in_all_zones_at_once(
    names: list[str], now: datetime, silent: list[QuietWindow]
) -> None:
    zones = tuple(found for name in names if (found := zone(name)))

    found = next_allowed(now, "sms", None, zones, silent)

    assert found == next_allowed(now, "sms", None, zones[::-1], silent)
    end = found or now + HORIZON
    if found is not None:
        assert not is_quiet(found, zones, silent)
    if end > now:
        assert all(is_quiet(moment, zones, silent) for moment in samples(now, end))


def test_no_night_of_two_years_is_disturbed_in_any_zone() -> None:
    night = silence("email", "20:00", "09:00")

    for place in kinds_of_zone():
        day = FIRST
        while day < LAST:
            found = next_allowed(day, "email", None, (place,), (night,))
            assert found is not None
            assert not the_wall_clock_says_quiet(found, place, night), f"{place.key} {day}"
            assert found - day <= timedelta(hours=14), f"{place.key} {day}"
            day += timedelta(hours=13)


def test_every_night_on_which_clocks_change_is_kept() -> None:
    """Around each change in each kind of zone, for silences that begin, end or lie within the odd hour."""
    silences = [
        silence("email", *hours) for hours in (("20:00", "02:30"), ("02:30", "09:00"), ("00:00", "03:00"))
    ]
    for place in kinds_of_zone():
        for change in clock_changes(place):
            for window in silences:
                now = change - timedelta(hours=4)
                while now < change + timedelta(hours=4):
                    found = next_allowed(now, "email", None, (place,), (window,))
                    assert found is not None
                    assert (found == now) is not is_quiet(now, (place,), (window,)), f"{place.key} {now}"
                    assert not is_quiet(found, (place,), (window,)), f"{place.key} {now}"
                    now += timedelta(minutes=10)


@settings(max_examples=examples(200), deadline=None)
@given(nights(), st.lists(windows(), min_size=1, max_size=2), windows())
def test_one_more_window_only_makes_it_later(
    night: tuple[ZoneInfo, datetime], silent: list[QuietWindow], more: QuietWindow
) -> None:
    place, now = night
    before = next_allowed(now, "sms", None, (place,), silent)
    after = next_allowed(now, "sms", None, (place,), [*silent, more])

    assert after is None or (before is not None and before <= after)
