"""Opt-out: a withdrawal stops what it covers."""

from __future__ import annotations

from orchestrator.core.policies import opted_out
from orchestrator.core.policies.request import Drop
from tests.support.policy_requests import a_question, no, yes


def test_a_customer_who_never_spoke_did_not_opt_out() -> None:
    assert opted_out.verdict(a_question()) is None


def test_the_reason_says_what_was_withdrawn_and_when() -> None:
    verdict = opted_out.verdict(a_question(consents=(no("email", "*"),)))

    assert isinstance(verdict, Drop)
    assert verdict.why == "the customer opted out of everything by email on 2026-11-10 12:00 UTC"


def test_the_reason_names_a_topic_withdrawn_everywhere() -> None:
    verdict = opted_out.verdict(a_question(consents=(no("*", "upsell"),)))

    assert verdict is not None
    assert (
        verdict.why == "the customer opted out of the topic upsell on every channel on 2026-11-10 12:00 UTC"
    )


def test_another_channel_or_topic_stays_open() -> None:
    assert opted_out.verdict(a_question(consents=(no("sms", "*"), no("*", "events")))) is None


def test_a_later_narrow_yes_reopens_the_topic() -> None:
    rows = (no("*", "*", days_ago=9), yes("email", "upsell", days_ago=2))

    assert opted_out.verdict(a_question(consents=rows)) is None
    assert opted_out.verdict(a_question(consents=rows, topic="events")) is not None


def test_what_is_not_promotional_is_stopped_too() -> None:
    assert opted_out.verdict(a_question(promotional=False, consents=(no("email", "*"),))) is not None
