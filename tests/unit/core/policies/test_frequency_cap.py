"""Caps: which rule fired, and when there is room again."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.core.caps import room_at
from orchestrator.core.policies import frequency_cap
from orchestrator.core.policies.request import CapSlot, Defer, Drop
from tests.support.policy_requests import NOON, a_cap, a_question

DAY = timedelta(days=1)


def sent(*days_ago: float, channel: str = "email", topic: str = "upsell") -> tuple[CapSlot, ...]:
    return tuple(CapSlot(handed_at=NOON - days * DAY, channel=channel, topic=topic) for days in days_ago)


def test_under_the_cap_there_is_room_now() -> None:
    assert frequency_cap.verdict(a_question(caps=(a_cap(3, 7),), cap_slots=sent(1, 2))) is None


def test_at_the_cap_the_message_waits_for_the_oldest_to_leave_the_window() -> None:
    verdict = frequency_cap.verdict(a_question(caps=(a_cap(3, 7),), cap_slots=sent(6, 2, 1)))

    assert isinstance(verdict, Defer)
    assert verdict.until == NOON + DAY
    assert verdict.why == (
        "the cap of 3 messages in 7d is full (3 sent); there is room again at 2026-11-21 12:00 UTC"
    )
    assert verdict.inputs["rule"] == "3 messages in 7d"


def test_over_the_cap_enough_must_leave_the_window() -> None:
    assert room_at(NOON, sent(6, 5, 2, 1), a_cap(2, 7)) == NOON + 5 * DAY


def test_there_is_room_exactly_when_a_place_is_as_old_as_the_window() -> None:
    week = a_cap(1, 7)

    assert room_at(NOON, sent(7), week) == NOON
    assert room_at(NOON - timedelta(microseconds=1), sent(7), week) == NOON


def test_a_place_dated_ahead_of_the_clock_counts() -> None:
    assert room_at(NOON, sent(-1), a_cap(1, 7)) == NOON + 8 * DAY


def test_a_cap_counts_only_its_channel_and_topic() -> None:
    others = sent(1, channel="sms") + sent(1, topic="events")

    assert (
        frequency_cap.verdict(
            a_question(caps=(a_cap(1, 7, channel="email", topic="upsell"),), cap_slots=others)
        )
        is None
    )
    assert (
        frequency_cap.verdict(a_question(caps=(a_cap(1, 7, channel="email"),), cap_slots=others)) is not None
    )
    assert (
        frequency_cap.verdict(a_question(caps=(a_cap(1, 7, topic="upsell"),), cap_slots=others)) is not None
    )
    assert frequency_cap.verdict(a_question(caps=(a_cap(1, 7, channel="sms"),), cap_slots=others)) is None


def test_several_caps_all_need_room_and_the_last_to_have_it_is_told() -> None:
    caps = (a_cap(1, 2), a_cap(2, 7, channel="email"))

    verdict = frequency_cap.verdict(a_question(caps=caps, cap_slots=sent(4, 1)))
    assert verdict is not None
    assert isinstance(verdict, Defer)
    assert verdict.until == NOON + 3 * DAY
    assert verdict.inputs["rule"] == "2 messages by email in 7d"
    assert verdict.inputs["rules"] == ["1 message in 2d", "2 messages by email in 7d"]


def test_a_step_skipped_when_capped_is_dropped_and_says_so() -> None:
    verdict = frequency_cap.verdict(a_question(caps=(a_cap(1, 7),), cap_slots=sent(1), when_capped="skip"))

    assert isinstance(verdict, Drop)
    assert "skipped when capped" in verdict.why


def test_a_cap_of_none_at_all_never_leaves_room() -> None:
    verdict = frequency_cap.verdict(a_question(caps=(a_cap(0, 7),)))

    assert isinstance(verdict, Drop)
    assert verdict.why == "the cap of 0 messages in 7d never leaves room"


def test_room_far_away_is_still_an_instant() -> None:
    assert isinstance(room_at(NOON, sent(1), a_cap(1, 365)), datetime)
