"""What waits is asked again as soon as what it waits for has changed: rules, places, the customer herself."""

from __future__ import annotations

from datetime import timedelta

from channels.base import SendStatus
from orchestrator.records.intake import Identify, Track
from orchestrator.service.messages.recheck import HEARD_EVERYWHERE
from orchestrator.store.batch.definitions import FRESH_FOR
from tests.support.engine import NOON, SIGNALS, Scene, one_message

RESTS = "rests: {ignored: 1h}\n"
ONE_A_WEEK = "caps:\n  - {at_most: 1, within: 7d}\n" + RESTS
TWO_A_WEEK = "caps:\n  - {at_most: 2, within: 7d}\n" + RESTS
TELLINGS = (one_message("first"), one_message("second", patience="20d"))
SICK = "holds:\n  sick: {title: low health, while: {health: {less_than: 40}}}\n"
WITH_HEALTH = SIGNALS.replace("seats: number", "seats: number, health: number")
AT_NOON_SILENT = 'quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'


def capped(scene: Scene) -> None:
    """One message was said, a second one waits a week for room."""
    scene.publish_playbooks(*TELLINGS, policy=ONE_A_WEEK)
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.let_pass(days=1)
    assert len(scene.given) == 1


def said_at(scene: Scene, playbook: str = "second") -> timedelta | None:
    handed = scene.value("SELECT handed_at FROM messages WHERE playbook = :name", name=playbook)
    return None if handed is None else handed - NOON


def test_a_looser_cap_lets_go_what_the_stricter_one_held(scene: Scene) -> None:
    capped(scene)
    scene.publish_playbooks(*TELLINGS, policy=TWO_A_WEEK)
    scene.let_pass(minutes=1)
    waited = said_at(scene)
    assert waited is not None
    assert timedelta(days=1) + HEARD_EVERYWHERE <= waited < timedelta(days=1, minutes=1)
    assert scene.violations() == []


def test_it_is_asked_only_when_every_process_has_heard_of_the_rule(scene: Scene) -> None:
    assert timedelta(seconds=FRESH_FOR) < HEARD_EVERYWHERE
    capped(scene)
    scene.publish_playbooks(*TELLINGS, policy=TWO_A_WEEK)
    scene.drain()
    assert said_at(scene) is None


def test_the_same_policy_published_again_asks_nobody(scene: Scene) -> None:
    capped(scene)
    asked = scene.value("SELECT sum(count) FROM verdicts")
    scene.publish_playbooks(*TELLINGS, policy=ONE_A_WEEK)
    assert scene.value("SELECT count(*) FROM inbox") == 0
    scene.let_pass(minutes=1)
    assert scene.value("SELECT sum(count) FROM verdicts") == asked


def test_a_stricter_cap_holds_what_was_about_to_leave(scene: Scene) -> None:
    scene.publish_playbooks(*TELLINGS, policy=TWO_A_WEEK)
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.publish_playbooks(*TELLINGS, policy=ONE_A_WEEK)
    scene.let_pass(days=8)
    assert said_at(scene) == timedelta(days=7)


def test_a_place_that_a_refused_message_gives_back_is_used_at_once(scene: Scene) -> None:
    """Given room for one, when the provider refuses the one that took it, then the other need not wait a week."""
    scene.publish_playbooks(
        one_message("first", "sms", more="priority: 90\n"), one_message("second"), policy=ONE_A_WEEK
    )
    scene.person()
    scene.provider_fails("sms", SendStatus.REFUSED, code="30008")
    scene.start("anna", "second")
    scene.start("anna", "first")
    scene.drain()
    assert said_at(scene) == timedelta(0)
    assert scene.messages() == [("say", "email", "sent"), ("say", "sms", "refused")]
    assert scene.violations() == []


def test_what_is_to_be_tried_again_keeps_its_place(scene: Scene) -> None:
    """Given room for one and a busy provider, the less important message does not slip in between two tries."""
    important = one_message("first", "sms", more="priority: 90\n")
    scene.publish_playbooks(important, one_message("second", patience="20d"), policy=ONE_A_WEEK)
    scene.person()
    scene.provider_fails("sms", SendStatus.TRY_AGAIN, times=1, retry_after=600)
    scene.start("anna", "first")
    scene.start("anna", "second")
    scene.let_pass(days=8)
    assert scene.spoken() == [("anna", "sms"), ("anna", "sms"), ("anna", "email")]
    assert said_at(scene, "first") == timedelta(minutes=10)
    assert said_at(scene) == timedelta(days=7, minutes=10)
    assert scene.violations() == []


def test_the_place_kept_for_what_gave_up_goes_to_the_next(scene: Scene) -> None:
    important = one_message("first", "sms", patience="30min", more="priority: 90\n")
    scene.publish_playbooks(important, one_message("second", patience="20d"), policy=ONE_A_WEEK)
    scene.person()
    scene.provider_fails("sms", SendStatus.TRY_AGAIN, retry_after=1_000)
    scene.start("anna", "first")
    scene.start("anna", "second")
    scene.let_pass(days=3)
    waited = said_at(scene)
    assert waited is not None
    assert timedelta(minutes=30) <= waited <= timedelta(seconds=2_000), (
        "the busy provider stands for email too"
    )


def test_a_hold_that_stands_on_a_condition_ends_with_it(scene: Scene) -> None:
    scene.publish_playbooks(one_message("second"), policy=SICK, signals=WITH_HEALTH)
    scene.person(health=20)
    scene.start("anna", "second")
    scene.let_pass(hours=5)
    assert scene.given == []
    scene.engine.identify([Identify(key="anna", traits={"health": 80})])
    scene.drain()
    assert said_at(scene) == timedelta(hours=5)


def test_a_signal_ends_a_hold_that_stands_on_the_history(scene: Scene) -> None:
    policy = "holds:\n  new: {title: before first value, while: {plan_upgraded: {times: 0}}}\n"
    scene.publish_playbooks(one_message("second"), policy=policy)
    scene.person()
    scene.start("anna", "second")
    scene.let_pass(hours=5)
    assert scene.given == []
    scene.engine.track([Track(key="anna", event="plan_upgraded")])
    scene.drain()
    assert said_at(scene) == timedelta(hours=5)


def test_who_is_found_to_live_elsewhere_need_not_wait_for_the_morning_there(scene: Scene) -> None:
    """Silent from ten to eight in UTC; in Tokyo it is evening, and nobody is silent."""
    scene.publish_playbooks(one_message("second"), policy=AT_NOON_SILENT)
    scene.person()
    scene.start("anna", "second")
    scene.drain()
    assert scene.given == []
    scene.engine.identify([Identify(key="anna", traits={"timezone": "Asia/Tokyo"})])
    scene.drain()
    assert said_at(scene) == timedelta(0)
