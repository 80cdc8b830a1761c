"""Forgetting people here and at the providers, letting go of history, and nothing personal where it does not belong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.base import Receipt, ReceiptKind
from orchestrator.bootstrap import build_engine
from orchestrator.clock import VirtualClock
from orchestrator.errors import DefinitionError, ErasureIncomplete, NotFound, StartRefused
from orchestrator.records.intake import Identify, Track
from tests.fakes.provider import FakeProvider
from tests.support.engine import NOON, Scene, one_message, settings_of, unheard

SECRETS = ("anna@shop.example", "anna%40shop", "4915112345678", "Annabella", "Because your team has grown")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
def real(database_url: str, tmp_path: Path, provider: FakeProvider) -> Iterator[Scene]:
    """A scene whose email, texts and chat go by the real adapters to a provider that remembers."""
    settings = settings_of(
        database_url,
        sendgrid_api_key=provider.api_key,
        sendgrid_base_url=provider.url,
        email_from="team@shop.example.test",
        twilio_account_sid=provider.account_sid,
        twilio_auth_token=provider.auth_token,
        twilio_from="+15005550006",
        twilio_base_url=provider.url,
    )
    clock = VirtualClock(NOON)
    scene = unheard(build_engine(settings, clock=clock), clock, tmp_path / "playbooks")
    scene.publish_playbooks(
        *(one_message(channel, channel, wait="2h") for channel in ("email", "sms", "in_app", "chat"))
    )
    yield scene
    assert scene.violations() == []
    scene.engine.close()


def everything_said(scene: Scene) -> None:
    scene.person(phone="+4915112345678", first_name="Annabella")
    for name in ("email", "sms", "in_app", "chat"):
        scene.start("anna", name)
    scene.drain()


def provider_words(scene: Scene, *, anyway: bool = False) -> dict[str, str]:
    receipt = scene.engine.erase("anna", anyway=anyway)
    assert receipt.erased
    return {one.channel: one.outcome for one in receipt.providers}


# --- erasure --------------------------------------------------------------------------------------------------------


def test_providers_are_told_to_forget(real: Scene, provider: FakeProvider) -> None:
    everything_said(real)

    assert provider_words(real) == {"chat": "done", "email": "done", "sms": "done"}

    assert provider.sendgrid.erased == {"anna@shop.example"}
    [text] = [one for one in provider.ledger.entries() if one.operation == "post_message"]
    assert text.fields == {"Body": ""}
    assert [one.operation for one in provider.ledger.entries()].count("delete_conversation") == 1


def test_a_provider_that_cannot_be_told_keeps_the_erasure_open_and_her_in_peace(
    real: Scene, provider: FakeProvider
) -> None:
    everything_said(real)
    provider.faults.add(kind="unavailable", service="sendgrid", times=1)

    with pytest.raises(ErasureIncomplete, match=r"sendgrid \(email\)"):
        real.engine.erase("anna")

    with pytest.raises(StartRefused):
        real.start("anna", "email")
    assert real.engine.consents("anna").in_force[0].says == "withdrawn"
    assert provider_words(real) == {"chat": "done", "email": "done", "sms": "done"}
    with pytest.raises(NotFound):
        real.engine.erase("anna")


def test_an_erasure_may_go_on_without_a_provider(real: Scene, provider: FakeProvider) -> None:
    everything_said(real)
    provider.faults.add(kind="unavailable", service="sendgrid")

    assert provider_words(real, anyway=True)["email"] == "failed"
    assert provider.sendgrid.erased == set()


def test_nothing_of_the_forgotten_is_left_in_any_table(real: Scene) -> None:
    everything_said(real)
    real.engine.receive(
        [
            Receipt(
                kind=ReceiptKind.REPLIED,
                source="twilio",
                source_id="r1",
                occurred_at=real.clock.now,
                channel="sms",
                address="+4915112345678",
                text="Annabella says hello",
            )
        ]
    )
    provider_words(real)

    tables = real.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for (table,) in tables:
        stored = str(real.rows(f"SELECT t::text FROM {table} AS t"))
        assert [secret for secret in (*SECRETS, "'anna'") if secret in stored] == [], table


def test_the_forgotten_do_not_come_back(real: Scene) -> None:
    everything_said(real)
    provider_words(real)

    again = real.engine.identify([Identify(key="anna", traits={"plan": "team"})])
    by_mail = real.engine.identify([Identify(key="new", traits={"email": "ANNA@shop.example"})])
    tracked = real.engine.track([Track(key="anna", event="session_started")])

    assert (again.taken, by_mail.refused[0].path, tracked.taken) == (0, "$.traits.email", 0)
    with pytest.raises(StartRefused, match="forgotten"):
        real.start("anna", "email")
    real.drain()
    assert real.rows("SELECT FROM contact_points") == []


# --- logs, and what providers are told ------------------------------------------------------------------------------


def test_nothing_personal_is_logged_or_put_where_providers_keep_it(
    real: Scene, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            caplog.set_level(logging.DEBUG, logger=name)
        everything_said(real)
        real.provider_reports("anna", ReceiptKind.DELIVERED, step="say")
        real.let_pass(hours=3)
        real.opted_out("anna")
        real.engine.scan()
        provider_words(real)

    assert len(provider.ledger.entries()) >= 3
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert len(caplog.records) > 5
    assert [secret for secret in SECRETS if secret in logged] == []
    for entry in provider.ledger.entries():
        assert [secret for secret in SECRETS if secret in entry.path] == []
        people: list[dict[str, Any]] = entry.fields.get("personalizations", [])
        assert all(set(person.get("custom_args", {})) == {"m"} for person in people)
        kept = str([entry.fields.get("categories"), entry.fields.get("StatusCallback"), [
            person.get("custom_args") for person in people
        ]])  # fmt: skip
        assert [secret for secret in SECRETS if secret in kept] == []


# --- retention ------------------------------------------------------------------------------------------------------

KEPT = (
    "retention: {signals: 30d, journal: 30d, verdicts: 30d, receipts: 30d, seen_sources: 30d, sandbox: 30d}\n"
)


def counts(scene: Scene) -> dict[str, int]:
    tables = ("signals", "journal", "verdicts", "receipts", "seen_sources", "sandbox_inbox")
    return {table: scene.value(f"SELECT count(*) FROM {table}") for table in tables}


def told_and_done(scene: Scene) -> None:
    scene.person()
    scene.engine.track([Track(key="anna", event="limit_reached") for _ in range(3)])
    scene.start("anna", "offer")
    scene.drain()
    scene.provider_reports("anna", ReceiptKind.DELIVERED)
    scene.let_pass(days=3)


def test_history_goes_when_its_time_is_over_and_nothing_else_does(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"), policy=KEPT)
    told_and_done(scene)
    before = counts(scene)
    assert all(before.values())

    assert sum(scene.engine.prune().values()) == 0
    scene.skip(days=40)
    scene.engine.prune()

    assert counts(scene) == dict.fromkeys(before, 0) | {"signals": 2, "verdicts": 1}
    assert scene.rows("SELECT name FROM signals ORDER BY name") == [("limit_reached",), ("session_started",)]
    assert scene.value("SELECT count(*) FROM messages") == 1
    assert scene.value("SELECT count(*) FROM consent_ledger") == 1


def test_what_still_moves_keeps_its_history(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", wait="90d"), policy=KEPT)
    scene.person()
    scene.start("anna", "offer")
    scene.drain()
    walked = counts(scene)["journal"]
    scene.skip(days=40)
    scene.engine.prune()
    assert counts(scene)["journal"] == walked


def test_pruning_happens_once_a_day_whoever_asks(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"), policy=KEPT)
    told_and_done(scene)
    scene.engine.scan()
    scene.skip(days=40)
    scene.engine.scan()
    assert counts(scene)["journal"] == 0
    begun = scene.value("SELECT begun_at FROM chores")
    scene.skip(hours=5)
    scene.engine.scan()
    assert scene.value("SELECT begun_at FROM chores") == begun


def test_a_window_longer_than_signals_are_kept_is_refused(scene: Scene) -> None:
    looks_back = one_message(
        "offer",
        more="enter:\n  if: {limit_reached: {times: 2, within: 60d}, because: often}\n  reentry: {after: 1h}\n",
    )
    with pytest.raises(DefinitionError, match="60 days back"):
        scene.publish_playbooks(looks_back, policy=KEPT)
    scene.publish_playbooks(looks_back, policy=KEPT.replace("signals: 30d", "signals: 60d"))
