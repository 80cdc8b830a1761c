"""The sandbox's inbox: what a customer would have received, as she would have seen it."""

from __future__ import annotations

from channels.base import SendStatus
from orchestrator.store import sandbox
from tests.support.engine import NOON, Scene, one_message


def inbox(scene: Scene, **asked: str) -> list[sandbox.SandboxMessage]:
    with scene.engine.database.connect() as connection:
        return sandbox.inbox(connection, "anna", **asked)


def test_what_was_sent_is_kept_whole(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("modal", "in_app"))
    scene.person()
    scene.start("anna", "mail")
    scene.start("anna", "modal")
    scene.drain()
    assert {kept.channel for kept in inbox(scene)} == {"email", "in_app"}
    (mail,) = inbox(scene, channel="email")
    assert mail.at == NOON
    assert mail.message_id in {one.message_id for one in scene.given}
    assert mail.content["address"] == "anna@shop.example"
    assert mail.content["content"]["header"]["subject"] == "A note"
    assert "Because your team has grown" in mail.content["content"]["text"]


def test_what_was_refused_is_not_kept(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.provider_fails("email", SendStatus.REFUSED)
    scene.start("anna", "mail")
    scene.drain()
    assert len(scene.given) == 1
    assert inbox(scene) == []
