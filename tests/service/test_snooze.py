"""A snooze keeps what is promotional back until it ends, and ending it early lets at once go what waited for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.errors import InputError, NotFound
from tests.support.engine import NOON, Scene, one_message, playbook

COOLDOWN = playbook("quiet", "  rest: {cooldown: 9d, then: done}\n  done: {end: finished}\n")


def waiting_for_the_end_of_a_snooze(scene: Scene, *, days: int) -> None:
    """A message that was planned before the snooze and is held back by nothing else."""
    scene.start("anna", "mail")
    scene.engine.snooze("anna", NOON + timedelta(days=days))
    scene.drain()
    assert scene.given == []
    assert scene.value("SELECT policy FROM verdicts ORDER BY last_at DESC, seq DESC LIMIT 1") == "cooldown"


def test_a_message_waits_for_the_end_of_a_snooze(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail", patience="9d"))
    scene.person()
    waiting_for_the_end_of_a_snooze(scene, days=5)
    scene.let_pass(days=4)
    assert scene.given == []
    scene.let_pass(days=3)
    assert scene.spoken() == [("anna", "email")]


def test_ending_a_snooze_lets_what_waited_go_at_once(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail", patience="9d"))
    scene.person()
    waiting_for_the_end_of_a_snooze(scene, days=5)
    scene.engine.end_snooze("anna")
    assert scene.engine.preferences("anna").snoozed_until is None
    scene.drain()
    assert scene.spoken() == [("anna", "email")]


def test_every_snooze_in_force_ends(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail", patience="9d"))
    scene.person()
    waiting_for_the_end_of_a_snooze(scene, days=7)
    scene.engine.snooze("anna", NOON + timedelta(days=8))
    scene.engine.end_snooze("anna")
    scene.drain()
    assert scene.spoken() == [("anna", "email")]


def test_a_cooldown_that_a_playbook_set_outlasts_the_snooze(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail", patience="15d"), COOLDOWN)
    scene.person()
    scene.start("anna", "mail")
    scene.start("anna", "quiet")
    scene.engine.snooze("anna", NOON + timedelta(days=5))
    scene.drain()
    scene.engine.end_snooze("anna")
    scene.let_pass(days=8)
    assert scene.given == []
    scene.let_pass(days=2)
    assert scene.spoken() == [("anna", "email")]


def test_ending_what_was_never_begun_changes_nothing(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.engine.end_snooze("anna")
    assert scene.value("SELECT count(*) FROM cooldowns") == 0
    with pytest.raises(NotFound):
        scene.engine.end_snooze("nobody")


def test_a_customer_with_an_unreadable_inbox_can_end_a_snooze(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail", patience="9d"))
    scene.person()
    scene.engine.snooze("anna", NOON + timedelta(days=5))
    scene.execute(
        "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
        " SELECT id, 999999, 'rubbish', created_at, created_at, '{}' FROM customers"
    )
    scene.engine.end_snooze("anna")
    assert scene.engine.preferences("anna").snoozed_until is None


def test_a_snooze_ends_in_the_future(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    with pytest.raises(InputError):
        scene.engine.snooze("anna", NOON)
