"""Reasons to wait that are not the message's own: holds and cooldowns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.policies import cooldown, hold
from orchestrator.core.policies.request import ActiveCooldown, Defer, OpenHold
from tests.support.policy_requests import NOON, a_question

DAY = timedelta(days=1)


def a_hold(**changes: Any) -> OpenHold:
    return OpenHold(**({"name": "open_ticket", "opened_at": NOON - DAY, "ends_at": None} | changes))


def a_cooldown(**changes: Any) -> ActiveCooldown:
    plain = {"scope": "everything", "scope_value": "", "reason": "ignored twice", "ends_at": NOON + 5 * DAY}
    return ActiveCooldown(**(plain | changes))


def test_nothing_open_nothing_held() -> None:
    assert hold.verdict(a_question()) is None


def test_a_hold_with_an_end_defers_until_then() -> None:
    verdict = hold.verdict(a_question(holds=(a_hold(name="purchase", ends_at=NOON + 7 * DAY),)))

    assert isinstance(verdict, Defer)
    assert verdict.until == NOON + 7 * DAY
    assert (
        verdict.why == "no pitch now, because of purchase; on hold until 2026-11-27 12:00 UTC at the latest"
    )


def test_a_hold_without_an_end_is_looked_at_again_tomorrow_or_when_patience_ends() -> None:
    open_ticket = (a_hold(),)

    patient = hold.verdict(a_question(holds=open_ticket))
    hasty = hold.verdict(a_question(holds=open_ticket, give_up_at=NOON + DAY / 4))
    late = hold.verdict(a_question(holds=open_ticket, give_up_at=NOON - DAY))
    assert [verdict and verdict.until for verdict in (patient, hasty, late)] == [
        NOON + DAY,
        NOON + DAY / 4,
        NOON + DAY,
    ]


def test_several_holds_last_as_long_as_the_longest() -> None:
    holds = (a_hold(name="purchase", ends_at=NOON + 2 * DAY), a_hold(name="payment", ends_at=NOON + DAY))

    verdict = hold.verdict(a_question(holds=holds))
    assert verdict is not None
    assert verdict.until == NOON + 2 * DAY
    assert "payment and purchase" in verdict.why


def test_a_hold_on_other_topics_or_one_that_is_over_holds_nothing() -> None:
    holds = (a_hold(topics=frozenset({"events"})), a_hold(ends_at=NOON))

    assert hold.verdict(a_question(holds=holds)) is None
    assert hold.verdict(a_question(holds=holds, topic="events")) is not None


def test_a_rest_from_everything_holds_every_promotion_until_its_end() -> None:
    verdict = cooldown.verdict(a_question(cooldowns=(a_cooldown(),)))

    assert isinstance(verdict, Defer)
    assert verdict.until == NOON + 5 * DAY
    expected = "the customer rests from everything promotional until 2026-11-25 12:00 UTC (ignored twice)"
    assert verdict.why == expected
    assert cooldown.verdict(a_question(cooldowns=(a_cooldown(),), promotional=False)) is None


@pytest.mark.parametrize(
    ("scope", "value", "held"),
    [
        ("topic", "upsell", True),
        ("topic", "events", False),
        ("playbook", "power_user_upsell", True),
        ("playbook", "event_push", False),
    ],
)
def test_a_narrower_rest_holds_its_own_scope(scope: str, value: str, held: bool) -> None:
    verdict = cooldown.verdict(a_question(cooldowns=(a_cooldown(scope=scope, scope_value=value),)))

    assert (verdict is not None) is held


def test_a_rest_is_over_at_its_end() -> None:
    assert cooldown.verdict(a_question(cooldowns=(a_cooldown(ends_at=NOON),))) is None


def test_the_run_that_set_a_rest_is_not_held_by_it_but_others_are() -> None:
    own = (a_cooldown(enrollment_id=7),)

    assert cooldown.verdict(a_question(enrollment_id=7, cooldowns=own)) is None
    assert cooldown.verdict(a_question(enrollment_id=8, cooldowns=own)) is not None


def test_of_several_rests_the_longest_is_told() -> None:
    cooldowns = (a_cooldown(ends_at=NOON + 9 * DAY, reason="asked for quiet"), a_cooldown())

    verdict = cooldown.verdict(a_question(cooldowns=cooldowns))
    assert verdict is not None
    assert verdict.until == NOON + 9 * DAY
    assert "asked for quiet" in verdict.why
