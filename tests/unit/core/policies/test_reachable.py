"""A way to the customer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.core.policies import reachable
from tests.support.policy_requests import NOON, a_question


@pytest.mark.parametrize("channel", ["email", "sms", "whatsapp"])
def test_a_channel_without_a_contact_point_reaches_nobody(channel: str) -> None:
    verdict = reachable.verdict(a_question(channel=channel, address=None))

    assert verdict is not None
    assert verdict.why == f"the customer has no contact point for {channel}"


@pytest.mark.parametrize("channel", ["in_app", "chat", "webhook", "an_adapter_without_a_row"])
def test_where_the_customers_key_is_address_enough_no_contact_point_is_missed(channel: str) -> None:
    assert reachable.verdict(a_question(channel=channel, address=None)) is None


def test_an_address_that_bounced_says_so_and_is_not_repeated_in_the_reason() -> None:
    verdict = reachable.verdict(a_question(address_invalid="it bounced on 2026-11-01"))

    assert verdict is not None
    assert "it bounced on 2026-11-01" in verdict.why
    assert "somebody@example.org" not in f"{verdict.why}{verdict.inputs}"


def test_in_app_reaches_those_seen_lately() -> None:
    edge = NOON - timedelta(days=14)

    assert reachable.verdict(a_question(channel="in_app", last_seen_at=edge)) is None
    late = reachable.verdict(a_question(channel="in_app", last_seen_at=edge - timedelta(seconds=1)))
    assert late is not None
    assert "last seen in the product on 2026-11-06, more than 14 days ago" in late.why


def test_in_app_does_not_reach_those_never_seen() -> None:
    verdict = reachable.verdict(a_question(channel="in_app", last_seen_at=None))

    assert verdict is not None
    assert "never seen" in verdict.why


def test_a_colleague_is_reached_without_the_customers_address() -> None:
    assert reachable.verdict(a_question(kind="handoff", channel="crm", address=None)) is None
