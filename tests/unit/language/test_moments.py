"""Moments: one way to write them, and the instants they mean over zones and clock changes."""

# ruff: noqa: E501 - rows of a table read best on one line
from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.language.conditions.resolve import resolve
from orchestrator.language.moments import Ago, Anchored, ClockTime, Duration, Moment
from orchestrator.language.reading.moments import MomentError, parse_clock, parse_duration, parse_moment

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",
         "Pacific/Chatham", "America/St_Johns", "Africa/Casablanca", "Asia/Tehran"]  # fmt: skip
NINE = time(9)


def at(text: str, now: datetime, zone: ZoneInfo = BERLIN, **anchors: datetime | date) -> datetime | None:
    return resolve(parse_moment(text), now=now, zone=zone, anchor=anchors.get, day_starts=NINE)


@pytest.mark.parametrize(
    "text",
    ["30min", "12h", "2d", "3w", "next 09:00", "tomorrow 09:00", "next monday 09:00", "next workday 09:00",
     "event_ends", "30d before event_starts", "21d after trial_started at 09:00", "60d ago", "account.renews_at at 17:30"],
)  # fmt: skip
def test_every_moment_is_written_back_as_it_was_read(text: str) -> None:
    assert str(parse_moment(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5m", "write 5min"),
        ("2 days", "did you mean '2d'"),
        ("1.5h", "whole number of a smaller unit"),
        ("0d", "at least one unit"),
        ("99999d", "too long"),
        ("9999999999d", "too long"),
        ("next moonday 09:00", "did you mean 'monday'"),
        ("next 9:00", "HH:MM"),
        ("tomorrow 25:00", "from 00:00 to 23:59"),
        ("next", "expected a duration"),
        ("", "expected a duration"),
        ("2h before renews_at at 09:00", "goes with days or weeks"),
        ("3x", "the units are min, h, d and w"),
    ],
)
def test_a_wrong_moment_says_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(MomentError, match=said):
        parse_moment(text)


def test_a_wait_of_a_day_is_24_hours_even_when_the_clock_changes() -> None:
    before_spring = datetime(2026, 3, 28, 20, tzinfo=UTC)
    assert at("1d", before_spring) == before_spring + timedelta(hours=24)


def test_next_nine_may_be_minutes_away_and_is_never_now() -> None:
    eight_fifty = datetime(2026, 6, 15, 6, 50, tzinfo=UTC)
    nine = datetime(2026, 6, 15, 7, tzinfo=UTC)
    assert at("next 09:00", eight_fifty) == nine
    assert at("next 09:00", nine) == nine + timedelta(days=1)


def test_next_workday_skips_the_weekend() -> None:
    friday_noon = datetime(2026, 6, 19, 10, tzinfo=UTC)
    assert at("next workday 09:00", friday_noon) == datetime(2026, 6, 22, 7, tzinfo=UTC)
    assert at("next monday 09:00", friday_noon) == datetime(2026, 6, 22, 7, tzinfo=UTC)
    assert at("tomorrow 09:00", friday_noon) == datetime(2026, 6, 20, 7, tzinfo=UTC)


def test_a_wall_time_that_the_clocks_skip_comes_later_by_the_offset_before() -> None:
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert at("next 02:30", night) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_wall_time_that_happens_twice_is_the_first() -> None:
    night = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    assert at("next 02:30", night) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_days_around_an_anchor_are_calendar_days_in_the_customers_zone() -> None:
    renewal = date(2026, 4, 10)
    noon = datetime(2026, 1, 1, tzinfo=UTC)
    assert at("30d before renews", noon, renews=renewal) == datetime(2026, 3, 11, 8, tzinfo=UTC)
    assert at("30d before renews at 07:15", noon, renews=renewal) == datetime(2026, 3, 11, 6, 15, tzinfo=UTC)
    assert at("1w after renews", noon, renews=renewal) == datetime(2026, 4, 17, 7, tzinfo=UTC)


def test_hours_around_an_instant_are_counted_from_that_instant() -> None:
    starts = datetime(2026, 4, 10, 15, 45, tzinfo=UTC)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert at("2h before starts", now, starts=starts) == starts - timedelta(hours=2)
    assert at("starts", now, starts=starts) == starts
    assert at("21d after starts at 09:00", now, starts=starts) == datetime(2026, 5, 1, 7, tzinfo=UTC)


def test_an_anchor_without_a_value_gives_nothing() -> None:
    assert at("30d before renews", datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_moment_past_the_end_of_the_calendar_gives_nothing_and_never_an_error() -> None:
    far = datetime(9999, 12, 31, 23, tzinfo=UTC)
    assert at("5d", far) is None
    assert at("tomorrow 09:00", far) is None
    assert at("400d after renews", far, renews=date(9999, 12, 1)) is None


durations = st.builds(Duration, count=st.integers(1, 300), unit=st.sampled_from(["min", "h", "d", "w"]))
clocks = st.builds(time, hour=st.integers(0, 23), minute=st.integers(0, 59))
days = [
    "any",
    "tomorrow",
    "workday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
]
clock_times = st.builds(ClockTime, day=st.sampled_from(days), at=clocks)
calendar_spans = st.builds(Duration, count=st.integers(1, 300), unit=st.sampled_from(["d", "w"]))
anchored = st.builds(
    Anchored, anchor=st.sampled_from(["renews_at", "account.renews_at", "entry"]), offset=calendar_spans,
    direction=st.sampled_from(["before", "after"]), at=st.none() | clocks,
)  # fmt: skip
moments: st.SearchStrategy[Moment] = durations | clock_times | anchored | st.builds(Ago, span=durations)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of a strategy are naive


@given(moments)
def test_reading_a_written_moment_gives_the_same_moment(moment: Moment) -> None:
    assert parse_moment(str(moment)) == moment


@given(clock_times, instants, st.sampled_from(ZONES))
def test_the_next_clock_time_lies_ahead_and_shows_its_wall_time(
    moment: ClockTime, now: datetime, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    found = resolve(moment, now=now, zone=zone, anchor=lambda _: None, day_starts=NINE)
    assert found is not None
    assert found > now or moment.day == "tomorrow"
    assert found - now < timedelta(days=9, hours=2)
    local = found.astimezone(zone)
    exists = local.replace(tzinfo=None).time() == moment.at
    skipped = (
        datetime.combine(local.date(), moment.at, tzinfo=zone).astimezone(UTC).astimezone(zone).time()
        != moment.at
    )
    assert exists or skipped or local.time() > moment.at
    if exists:
        assert local.fold == 0


@given(durations, instants)
def test_a_duration_is_exact_whatever_the_zone(moment: Duration, now: datetime) -> None:
    for name in ZONES:
        found = resolve(moment, now=now, zone=ZoneInfo(name), anchor=lambda _: None, day_starts=NINE)
        assert found == now + moment.span


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_an_explained_error(text: str) -> None:
    for parse in (parse_moment, parse_duration, parse_clock):
        with suppress(MomentError):
            assert parse(text) is not None
