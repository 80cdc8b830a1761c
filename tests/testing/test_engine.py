"""The kit tells what a playbook does, in milliseconds, and why when it surprises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator import NotFound, StartRefused
from orchestrator.testing import TestEngine, account_files, playbook_files
from orchestrator.testing.engine import TUESDAY_NOON


def seen(kit: TestEngine, **traits: object) -> None:
    kit.customer("anna", email="anna@shop.example", timezone="UTC", **traits)
    kit.track("anna", "session_started")


def test_days_pass_and_the_playbook_goes_its_way(kit: TestEngine) -> None:
    seen(kit)
    kit.start("anna", "welcome")
    kit.let_pass(days=4)
    assert kit.path("anna") == ["hello:no_response", "mail:no_response", "no_conversion"]
    assert [(one.step, one.at - TUESDAY_NOON) for one in kit.sent("anna")] == [
        ("hello", timedelta()),
        ("mail", timedelta(days=1)),
    ]
    assert kit.now == TUESDAY_NOON + timedelta(days=4)


def test_what_went_out_can_be_read_as_the_customer_reads_it(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    kit.start("anna", "welcome")
    (mail,) = kit.sent(channel="email")
    assert (mail.address, mail.subject, mail.playbook) == ("anna@shop.example", "mail", "welcome")
    assert "because it is a test" in mail.text
    assert mail.content.links == {}
    assert kit.sent("bea") == kit.sent(step="hello") == []


def test_a_click_moves_the_enrollment(kit: TestEngine) -> None:
    seen(kit)
    kit.start("anna", "welcome")
    kit.clicked("anna", step="hello")
    assert kit.path("anna", "welcome") == ["hello:clicked", "finished"]
    assert kit.step("anna") == "done"
    (enrollment,) = kit.enrollments("anna")
    assert enrollment.end_status == "finished"


def test_it_says_why_a_message_was_not_sent(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    kit.start("anna", "welcome")
    told = kit.why("anna", step="hello")[0]
    assert (told.status, told.policy) == ("not_sent", "reachable")
    assert "never seen in the product" in told.why
    assert "reached step 'mail'" in kit.story("anna")


def test_a_customer_nobody_knows_is_named(kit: TestEngine) -> None:
    with pytest.raises(AssertionError, match="no customer 'bea'; bring one in"):
        kit.path("bea")


def test_an_answer_to_nothing_shows_what_happened(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    with pytest.raises(
        AssertionError, match=r"no message of step 'mail' was planned for 'anna':\s+nothing happened"
    ):
        kit.clicked("anna", step="mail")


def test_a_trait_that_is_refused_is_an_error_of_the_test(kit: TestEngine) -> None:
    with pytest.raises(AssertionError, match=r"\$\.traits\.email"):
        kit.customer("anna", email="no address")


def test_a_name_that_nobody_declared_is_an_error_of_the_test(kit: TestEngine) -> None:
    with pytest.raises(
        AssertionError, match=r"no attribute 'plann' is declared in signals.yaml; did you mean 'plan'"
    ):
        kit.customer("anna", plann="pro")
    with pytest.raises(AssertionError, match=r"no event 'session_start'.*did you mean 'session_started'"):
        kit.track("anna", "session_start")


def test_starts_raise_what_they_raise_in_the_product(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    kit.opted_out("anna", topic="offers")
    with pytest.raises(StartRefused) as refused:
        kit.start("anna", "welcome")
    assert refused.value.reason == "opted_out"
    with pytest.raises(NotFound):
        kit.start("anna", "farewell")


def test_a_provider_can_be_told_to_refuse(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    kit.provider_fails("email", "refused", times=1)
    kit.start("anna", "welcome")
    assert kit.path("anna") == ["hello:not_sent", "mail:failed", "no_conversion"]
    assert kit.sent("anna") == []


def test_a_provider_that_heals_takes_the_next_message(kit: TestEngine) -> None:
    kit.provider_fails("email")
    kit.provider_heals("email")
    kit.customer("anna", email="anna@shop.example")
    kit.start("anna", "welcome")
    assert [one.channel for one in kit.sent("anna")] == ["email"]


def test_the_feed_has_no_provider_that_could_fail(kit: TestEngine) -> None:
    with pytest.raises(AssertionError, match="in_app is no sandbox"):
        kit.provider_fails("in_app")


def test_an_uncertain_message_is_never_sent_again(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    kit.provider_fails("email", "uncertain", times=1)
    kit.start("anna", "welcome")
    kit.let_pass(days=3)
    assert [one.status for one in kit.why("anna", step="mail")] == ["abandoned"]
    assert kit.sent("anna") == []


def test_a_provider_reports_what_it_learnt_later(kit: TestEngine) -> None:
    kit.customer("anna", email="anna@shop.example")
    kit.start("anna", "welcome")
    kit.provider_reports("anna", "bounced", code="550")
    assert kit.path("anna") == ["hello:not_sent", "mail:bounced", "no_conversion"]


def test_words_that_mean_stop_are_an_opt_out(kit: TestEngine) -> None:
    kit.publish(
        playbook_files(
            "by_text",
            "say: {send: {channel: sms, template: say}, wait: 1d, then: {replied: heard, no_response: silent}}\n"
            "heard: {end: heard}\nsilent: {end: silent}",
        )
    )
    for key, number in (("anna", "+4915112345678"), ("bea", "+4915112345679")):
        kit.customer(key, phone=number)
        kit.opted_in(key, channel="sms")
        kit.start(key, "by_text")
    kit.replied("anna", "please take me off your list")
    kit.replied("bea", "tell me more")
    assert kit.engine.consents("anna").entries[-1].action == "revoked"
    assert kit.path("bea") == ["say:replied", "heard"]


def test_a_daily_scan_brings_customers_in_while_time_passes(kit: TestEngine) -> None:
    kit.publish(
        account_files(attributes={"plan": "text"})
        | playbook_files(
            "free_users",
            "mail: {send: {channel: email, template: mail}, wait: 1d, then: done}\ndone: {end: finished}",
            enter="{every: day, if: {plan: free}, because: you are on the free plan, reentry: never}",
        )
    )
    kit.customer("anna", email="anna@shop.example", plan="free")
    kit.customer("bea", email="bea@shop.example", plan="pro")
    kit.let_pass(days=1)
    assert [(one.customer, one.at.hour) for one in kit.sent()] == [("anna", 5)]


def test_in_manual_mode_nothing_happens_by_itself(database_url: str) -> None:
    with TestEngine.open(database_url, mode="manual") as kit:
        kit.publish(
            account_files() | playbook_files("welcome", "wait: {wait: 1d, then: done}\ndone: {end: over}")
        )
        kit.customer("anna", email="anna@shop.example")
        kit.start("anna", "welcome")
        kit.skip(days=2)
        assert kit.path("anna") == []
        kit.drain()
        assert kit.path("anna") == ["wait:no_response", "over"]


def test_a_scratch_engine_leaves_nothing_behind(postgres_url: str) -> None:
    with TestEngine.scratch(postgres_url) as kit:
        kit.publish(account_files() | playbook_files("welcome", "done: {end: over}"))
        assert kit.violations() == []
        folder = kit.folder
    assert not folder.exists()
