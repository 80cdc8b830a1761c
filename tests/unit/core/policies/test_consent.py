"""Channels that need an express yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.policies import consent
from orchestrator.core.policies.request import PolicyRequest
from tests.support.policy_requests import NOON, a_question, no, yes


def a_text(**changes: Any) -> PolicyRequest:
    return a_question(channel="sms", needs_consent=frozenset({"sms", "whatsapp"}), **changes)


def test_a_channel_that_needs_no_consent_is_not_asked_for_one() -> None:
    assert consent.verdict(a_question(needs_consent=frozenset({"sms"}))) is None


def test_no_yes_no_text() -> None:
    verdict = consent.verdict(a_text())

    assert verdict is not None
    assert verdict.why == "sms needs the customer's consent to the topic upsell; none was given"


@pytest.mark.parametrize("row", [("sms", "upsell"), ("sms", "*"), ("*", "upsell"), ("*", "*")])
def test_a_yes_that_covers_channel_and_topic_opens_it(row: tuple[str, str]) -> None:
    assert consent.verdict(a_text(consents=(yes(*row),))) is None


def test_a_yes_for_something_else_does_not() -> None:
    assert consent.verdict(a_text(consents=(yes("email", "*"), yes("sms", "events")))) is not None


def test_an_expired_yes_is_none_and_the_reason_says_when_it_ended() -> None:
    until_noon = (yes("sms", "*", expires_at=NOON),)

    assert consent.verdict(a_text(consents=until_noon, now=NOON - timedelta(seconds=1))) is None
    verdict = consent.verdict(a_text(consents=until_noon))
    assert verdict is not None
    assert verdict.why.endswith("the one given expired on 2026-11-20")


def test_a_withdrawn_yes_is_none() -> None:
    assert (
        consent.verdict(a_text(consents=(yes("sms", "*", days_ago=9), no("sms", "*", days_ago=1))))
        is not None
    )


def test_a_mere_relationship_is_not_an_express_yes() -> None:
    verdict = consent.verdict(a_text(consents=(yes("*", "*", basis="soft_opt_in"),)))

    assert verdict is not None
    assert verdict.why.endswith("only an implied one is known (soft_opt_in)")


def test_what_is_not_promotional_needs_no_marketing_consent() -> None:
    assert consent.verdict(a_text(promotional=False)) is None
