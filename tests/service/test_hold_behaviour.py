"""What becomes of a walk that would speak while a hold is open or the customer rests: the account's word on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.records.intake import Track
from tests.support.engine import NOON, Scene, one_message, playbook

TICKET = (
    "holds:\n  ticket: {title: a ticket, opened_by: ticket_opened, closed_by: ticket_closed, longest: 90d}\n"
)
OFFER = one_message("offer", patience="3d")


def held(scene: Scene, wish: str, *, policy: str = "") -> None:
    """The ticket is open when the offer is to be made."""
    scene.publish_playbooks(OFFER, policy=f"{TICKET}waiting: {{holds: {wish}}}\n{policy}")
    scene.person()
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.start("anna", "offer")


def close(scene: Scene) -> None:
    scene.engine.track([Track(key="anna", event="ticket_closed")])


def test_deferred_it_gives_up_when_its_patience_is_over(scene: Scene) -> None:
    held(scene, "defer")
    scene.let_pass(days=4)
    assert scene.path("anna") == ["say:not_sent", "finished"]
    assert scene.value("SELECT ended_at FROM enrollments") == NOON + timedelta(days=3)


def test_frozen_it_waits_however_long_and_speaks_when_the_hold_closes(scene: Scene) -> None:
    held(scene, "freeze")
    scene.let_pass(days=40)
    assert scene.step("anna") == "say"
    assert scene.given == []
    close(scene)
    scene.drain()
    assert scene.messages() == [("say", "email", "sent")]
    assert scene.violations() == []


def test_what_is_left_of_its_patience_counts_from_the_thaw(scene: Scene) -> None:
    """Given a hold of forty days, when the one place of these months is taken then, it gives up three days later."""
    policy = TICKET.replace("longest: 90d", "longest: 90d, topics: [upsell]") + "waiting: {holds: freeze}\n"
    other = one_message("other").replace("topic: upsell", "topic: cross_sell")
    scene.publish_playbooks(OFFER, other, policy=policy + "caps:\n  - {at_most: 1, within: 60d}\n")
    scene.person()
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.start("anna", "offer")
    scene.let_pass(days=39)
    scene.start("anna", "other")
    scene.let_pass(days=1)
    close(scene)
    scene.let_pass(days=10)
    assert scene.path("anna", playbook="offer") == ["say:not_sent", "finished"]
    gone = scene.value("SELECT ended_at FROM enrollments WHERE playbook = 'offer'")
    assert gone == NOON + timedelta(days=43)
    assert scene.violations() == []


def test_being_asked_often_makes_no_patience_longer(scene: Scene) -> None:
    held(scene, "freeze", policy="rests: {ignored: 1h}\n")
    for _ in range(5):
        scene.let_pass(hours=1)
        scene.engine.track([Track(key="anna", event="ticket_opened")])
        scene.drain()
    frozen, give_up = scene.rows(
        "SELECT state->>'frozen_until' AS frozen, state->>'give_up_at' AS give_up FROM enrollments"
    )[0]
    message = scene.value("SELECT give_up_at FROM messages")
    assert message.isoformat() == give_up
    assert message - timedelta(days=3) == type(message).fromisoformat(frozen)


def test_skipped_it_goes_on_at_once(scene: Scene) -> None:
    held(scene, "skip")
    scene.drain()
    assert scene.path("anna") == ["say:not_sent", "finished"]
    assert scene.value("SELECT ended_at FROM enrollments") == NOON


def test_cancelled_the_walk_ends_with_the_reason(scene: Scene) -> None:
    held(scene, "cancel")
    scene.drain()
    assert scene.path("anna") == ["stopped"]
    assert scene.messages() == [("say", "email", "not_sent")]
    why = scene.value("SELECT why FROM verdicts WHERE policy = 'hold'")
    assert why == "no pitch now, because of ticket; this account ends the playbook then"
    assert scene.violations() == []


def test_cancelled_the_walk_ends_also_when_another_channel_never_had_a_way_to_her(scene: Scene) -> None:
    """The reason of the first channel, no address, must not hide that the hold ends the walk."""
    scene.publish_playbooks(
        one_message("offer", "[email, in_app]"), policy=f"{TICKET}waiting: {{holds: cancel}}\n"
    )
    scene.person(email=None)
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.start("anna", "offer")
    scene.drain()
    assert scene.path("anna") == ["stopped"]


def test_a_signal_heard_of_late_makes_no_hold_shorter(scene: Scene) -> None:
    """Given a purchase today, when one of five days ago is reported after it, then its seven days are still seven."""
    bought = "holds:\n  bought: {title: a fresh purchase, opened_by: plan_upgraded, longest: 7d}\n"
    scene.publish_playbooks(one_message("offer", patience="20d"), policy=bought)
    scene.person()
    for days in (0, 5, 1):
        occurred_at = NOON - timedelta(days=days)
        scene.engine.track([Track(key="anna", event="plan_upgraded", occurred_at=occurred_at)])
        scene.drain()
    scene.start("anna", "offer")
    scene.let_pass(days=10)
    assert scene.value("SELECT handed_at FROM messages") == NOON + timedelta(days=7)


@pytest.mark.parametrize(
    ("wish", "path"),
    [("defer", []), ("freeze", []), ("skip", ["say:not_sent", "finished"]), ("cancel", ["stopped"])],
)
def test_a_rest_is_waited_out_as_the_account_wishes(scene: Scene, wish: str, path: list[str]) -> None:
    quiet = playbook("quiet", "  rest: {cooldown: 2d, then: done}\n  done: {end: finished}\n")
    scene.publish_playbooks(quiet, OFFER, policy=f"waiting: {{cooldowns: {wish}}}\n")
    scene.person()
    scene.start("anna", "offer")
    scene.start("anna", "quiet")  # its rest stands before the offer is handed over
    scene.drain()
    assert scene.path("anna", playbook="offer") == path
