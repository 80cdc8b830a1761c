"""Quiet hours as a customer lives them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.core.policies import quiet_hours
from orchestrator.core.policies.request import Defer, Drop, PolicyRequest
from orchestrator.core.quiet_hours import next_allowed
from orchestrator.core.zones import phone_zones, zone
from tests.support.policy_requests import AUCKLAND, BERLIN, NEW_YORK, a_question, silence

NIGHT = (silence("sms", "20:00", "09:00"), silence("email", "21:00", "08:00"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_text(**changes: Any) -> PolicyRequest:
    return a_question(**({"channel": "sms", "quiet": NIGHT, "now": at("2026-11-20T22:00")} | changes))


def until(question: PolicyRequest) -> datetime | None:
    verdict = quiet_hours.verdict(question)
    assert verdict is None or isinstance(verdict, Defer)
    return verdict.until if verdict else None


def test_by_day_nothing_is_quiet() -> None:
    assert quiet_hours.verdict(a_text(now=at("2026-11-20T12:00"))) is None


def test_at_night_the_text_waits_for_the_customers_morning() -> None:
    verdict = quiet_hours.verdict(a_text())

    assert isinstance(verdict, Defer)
    assert verdict.until == at("2026-11-21T08:00")
    assert verdict.why == "quiet hours for sms in Europe/Berlin until 2026-11-21 08:00 UTC"
    assert verdict.inputs["zones"] == ["Europe/Berlin"]
    assert verdict.inputs["zone_source"] == "profile"


def test_the_beginning_is_quiet_and_the_end_is_not() -> None:
    assert until(a_text(now=at("2026-11-20T18:59:59"))) is None
    assert until(a_text(now=at("2026-11-20T19:00"))) == at("2026-11-21T08:00")
    assert until(a_text(now=at("2026-11-21T08:00"))) is None


def test_a_window_that_does_not_cross_midnight() -> None:
    noon_rest = (silence("sms", "12:00", "14:00"),)

    assert until(a_text(quiet=noon_rest, now=at("2026-11-20T11:30"))) == at("2026-11-20T13:00")
    assert until(a_text(quiet=noon_rest, now=at("2026-11-20T23:30"))) is None


def test_weekdays_belong_to_the_beginning_of_the_window() -> None:
    saturday_night = (silence("email", "22:00", "10:00", weekdays=("saturday",)),)
    email = a_question(quiet=saturday_night)

    sunday_morning, sunday_night = at("2026-11-22T08:00"), at("2026-11-22T22:30")
    assert until(a_question(quiet=saturday_night, now=sunday_morning)) == at("2026-11-22T09:00")
    assert until(a_question(quiet=saturday_night, now=sunday_night)) is None
    assert quiet_hours.verdict(email) is None


def test_the_weekday_is_the_customers_not_greenwichs() -> None:
    sundays = (silence("email", "00:00", "00:00", weekdays=("sunday",)),)
    tokyo = zone("Asia/Tokyo")

    already_sunday_there = at("2026-11-21T15:00")
    question = a_question(quiet=sundays, zones=(tokyo,), now=already_sunday_there)
    assert until(question) == at("2026-11-22T15:00")


def test_several_windows_add_up() -> None:
    both = (silence("email", "20:00", "08:00"), silence("email", "07:00", "09:30"))

    assert until(a_question(quiet=both, now=at("2026-11-20T21:00"))) == at("2026-11-21T08:30")


def test_a_region_has_its_own_hours_and_the_most_particular_rule_wins() -> None:
    us = (
        silence(
            "email", "20:00", "09:00", regions=(("US", ("21:00", "08:00")), ("US-FL", ("20:00", "08:00")))
        ),
    )
    late = at("2026-11-21T01:30")  # 20:30 in New York

    assert until(a_question(quiet=us, zones=(NEW_YORK,), region="US-NY", now=late)) is None
    assert until(a_question(quiet=us, zones=(NEW_YORK,), region="us-fl", now=late)) == at("2026-11-21T13:00")
    assert until(a_question(quiet=us, zones=(NEW_YORK,), region="DE", now=late)) == at("2026-11-21T14:00")


def test_a_text_obeys_every_regional_rule_that_may_apply() -> None:
    us = (
        silence("sms", "22:00", "08:00", regions=(("US-FL", ("20:00", "08:00")), ("FR", ("19:00", "10:00")))),
    )
    evening = at("2026-11-21T01:30")  # 20:30 in New York

    assert until(a_text(quiet=us, zones=(NEW_YORK,), region="US-NY", now=evening)) is None
    assert until(a_text(quiet=us, zones=(NEW_YORK,), region="US", now=evening)) == at("2026-11-21T13:00")
    assert until(a_text(quiet=us, zones=(NEW_YORK,), region=None, now=evening)) == at("2026-11-21T15:00")


def test_a_text_must_be_allowed_in_every_plausible_zone_and_an_email_in_the_first() -> None:
    both = (BERLIN, NEW_YORK)
    morning_in_berlin = at("2026-11-20T09:00")

    assert until(a_text(zones=both, now=morning_in_berlin)) == at("2026-11-20T14:00")
    assert until(a_question(quiet=NIGHT, zones=both, now=morning_in_berlin)) is None


def test_zones_without_a_common_hour_mean_no_text() -> None:
    verdict = quiet_hours.verdict(a_text(zones=(BERLIN, AUCKLAND)))

    assert isinstance(verdict, Drop)
    assert verdict.why == (
        "no hour of the coming week is outside the quiet hours for sms in Europe/Berlin, Pacific/Auckland"
    )


def test_a_number_that_may_ring_anywhere_in_north_america_waits_for_the_common_half_hour() -> None:
    toll_free = phone_zones("+18005550123")

    assert until(a_text(zones=toll_free, zone_source="phone", now=at("2026-11-20T15:00"))) == at(
        "2026-11-20T23:00"
    )
    assert until(a_text(zones=toll_free, zone_source="phone", now=at("2026-11-20T23:30"))) == at(
        "2026-11-21T23:00"
    )


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
@pytest.mark.parametrize(("zones", "source"), [((), None), ((BERLIN,), "account")])
def test_a_text_is_not_sent_when_nobody_knows_where_the_customer_is(
    channel: str, zones: tuple[Any, ...], source: str | None
) -> None:
    noon = at("2026-11-20T12:00")
    verdict = quiet_hours.verdict(a_text(channel=channel, zones=zones, zone_source=source, now=noon))

    assert isinstance(verdict, Drop)
    assert "a time zone nobody knows" in verdict.why


def test_a_short_silence_is_kept_everywhere_when_nothing_is_known() -> None:
    tea = (silence("sms", "15:00", "15:15"),)

    found = until(a_text(quiet=tea, zones=(), now=at("2026-11-20T15:00")))
    assert found == at("2026-11-20T15:15")


def test_an_email_to_somebody_of_whom_no_zone_is_known_goes_by_greenwich() -> None:
    assert until(a_question(quiet=NIGHT, zones=(), now=at("2026-11-20T22:00"))) == at("2026-11-21T08:00")


@pytest.mark.parametrize("channel", ["in_app", "webhook", "chat"])
def test_a_channel_no_window_names_has_no_quiet_hours(channel: str) -> None:
    assert quiet_hours.verdict(a_text(channel=channel)) is None
    assert until(a_text(channel=channel, quiet=(silence(channel, "20:00", "09:00"),))) == at(
        "2026-11-21T08:00"
    )


def test_whatsapp_obeys_the_hours_of_texts() -> None:
    assert until(a_text(channel="whatsapp")) == at("2026-11-21T08:00")


def test_what_is_not_promotional_goes_at_any_hour() -> None:
    assert quiet_hours.verdict(a_text(promotional=False)) is None


def test_a_channel_silent_at_every_hour_is_never_allowed() -> None:
    assert (
        next_allowed(at("2026-11-20T12:00"), "email", None, (BERLIN,), (silence("email", "00:00", "24:00"),))
        is None
    )


SPRING, AUTUMN = "2027-03-28", "2026-10-25"  # Berlin: 02:00 becomes 03:00; 03:00 becomes 02:00


@pytest.mark.parametrize(
    ("window", "now", "allowed"),
    [
        # an end that the clocks skip is read with the offset before the change: 03:30 summer time
        (("20:00", "02:30"), f"{SPRING}T00:30", f"{SPRING}T01:30"),
        # a beginning that the clocks skip: silent from the change on, 03:00 summer time is past 02:30
        (("02:30", "09:00"), f"{SPRING}T00:59", f"{SPRING}T00:59"),
        (("02:30", "09:00"), f"{SPRING}T01:00", f"{SPRING}T07:00"),
        # an end that comes twice is the first; the wall times of the window are silent again when repeated
        (("20:00", "02:30"), f"{AUTUMN}T00:00", f"{AUTUMN}T00:30"),
        (("20:00", "02:30"), f"{AUTUMN}T01:00", f"{AUTUMN}T01:30"),
        # a beginning that comes twice is the first, and the repeated hour before it does not open the window
        (("02:30", "09:00"), f"{AUTUMN}T00:29", f"{AUTUMN}T00:29"),
        (("02:30", "09:00"), f"{AUTUMN}T01:10", f"{AUTUMN}T08:00"),
        # the night is an hour shorter, an hour longer
        (("20:00", "09:00"), "2027-03-27T22:00", f"{SPRING}T07:00"),
        (("20:00", "09:00"), "2026-10-24T22:00", f"{AUTUMN}T08:00"),
    ],
)
def test_nights_when_the_clocks_change(window: tuple[str, str], now: str, allowed: str) -> None:
    windows = (silence("email", *window),)

    assert next_allowed(at(now), "email", None, (BERLIN,), windows) == at(allowed)


def test_a_day_that_begins_at_one_in_the_morning() -> None:
    cairo = zone("Africa/Cairo")
    assert cairo is not None
    midnight_that_does_not_exist = (silence("email", "20:00", "00:00"),)

    found = next_allowed(at("2027-04-29T20:00"), "email", None, (cairo,), midnight_that_does_not_exist)
    assert found == at("2027-04-29T22:00")
    assert found.astimezone(cairo).hour == 1
