"""A bounce is about the address it came from: one that comes late does not cost the customer the address of now."""

from __future__ import annotations

import pytest

from channels.base import ReceiptKind, SendStatus
from orchestrator.records.intake import Identify
from tests.support.engine import Scene, one_message

OLD, NEW = "anna@shop.example", "new@shop.example"


@pytest.fixture
def sent(scene: Scene) -> Scene:
    """Anna was sent a mail to her old address."""
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.start("anna", "offer")
    scene.drain()
    return scene


def has_address(scene: Scene, address: str | None) -> None:
    scene.engine.identify([Identify(key="anna", traits={"email": address})])


def point(scene: Scene) -> tuple[str, str | None]:
    (row,) = scene.rows("SELECT address, invalid_reason FROM contact_points WHERE channel = 'email'")
    return row.address, row.invalid_reason


def test_a_bounce_marks_the_address(sent: Scene) -> None:
    sent.provider_reports("anna", ReceiptKind.BOUNCED)
    sent.drain()
    assert point(sent) == (OLD, "bounced")


@pytest.mark.parametrize("told_first", [True, False], ids=["the address first", "the bounce first"])
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
def test_a_bounce_of_the_address_of_then_leaves_the_address_of_now(
    sent: Scene, told_first: bool, together: bool
) -> None:
    if told_first:
        has_address(sent, NEW)
        if not together:
            sent.drain()
    sent.provider_reports("anna", ReceiptKind.BOUNCED)
    if not told_first:
        if not together:
            sent.drain()
        has_address(sent, NEW)
    sent.drain()
    assert point(sent) == (NEW, None)
    sent.let_pass(days=3)
    sent.start("anna", "offer")
    sent.drain()
    assert [one.address for one in sent.given] == [OLD, NEW]


def test_whoever_has_the_old_address_again_has_the_one_that_bounced(sent: Scene) -> None:
    for address in (NEW, OLD):
        has_address(sent, address)
        sent.drain()
    sent.provider_reports("anna", ReceiptKind.BOUNCED)
    sent.drain()
    assert point(sent) == (OLD, "bounced")


def test_a_refusal_marks_the_address_that_was_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The customer's address changes while the provider is asked about the old one."""
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.start("anna", "offer")
    scene.provider_fails("email", SendStatus.REFUSED, code="550", mark_address=True)
    channel = scene.engine.delivery.channel_for("email")
    send = channel.send

    def changing(message: object) -> object:
        has_address(scene, NEW)
        return send(message)

    monkeypatch.setattr(channel, "send", changing)
    scene.drain()
    assert point(scene) == (NEW, None)
    assert scene.messages() == [("say", "email", "refused")]


def test_what_is_kept_of_the_address_is_a_keyed_hash_and_goes_with_the_person(sent: Scene) -> None:
    kept = sent.value("SELECT address_hash FROM messages")
    assert len(kept) == 64
    assert "anna" not in kept
    sent.engine.erase("anna")
    assert sent.value("SELECT count(address_hash) FROM messages") == 0


def test_of_a_message_of_an_earlier_release_the_address_is_taken_for_the_one_of_now(sent: Scene) -> None:
    sent.execute("UPDATE messages SET address_hash = NULL")
    sent.provider_reports("anna", ReceiptKind.BOUNCED)
    sent.drain()
    assert point(sent) == (OLD, "bounced")
