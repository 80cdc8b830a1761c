"""A signal that may start a playbook and does not: counted once for each reason, and told to whoever asks why."""

from __future__ import annotations

from orchestrator.records.intake import Identify, Track
from tests.support.engine import SIGNALS, Scene, one_message

GROWN = "enter: {when: limit_reached, if: {seats: {at_least: 10}}, because: grown, reentry: {after: 1h}}\n"
OWNERS = GROWN.replace("reentry", "one_per: {account: [owner]}, reentry")
DAILY = "enter: {every: day, if: {seats: {at_least: 10}}, because: grown, reentry: {after: 1h}}\n"


def limit_reached(scene: Scene, key: str = "anna", times: int = 1) -> None:
    for _ in range(times):
        scene.engine.track([Track(key=key, event="limit_reached")])
        scene.drain()
        scene.skip(hours=1)


def counted(scene: Scene) -> list[tuple[str, str, str, int]]:
    found = scene.rows(
        "SELECT c.key, n.playbook, n.reason, n.count FROM not_entered AS n JOIN customers AS c ON c.id = n.customer_id"
        " ORDER BY 1, 2, 3"
    )
    return [tuple(row) for row in found]


def told(scene: Scene, key: str = "anna") -> list[str]:
    return [entry["words"] for entry in scene.engine.export(key)["timeline"] if entry["kind"] == "refusal"]


def test_a_condition_that_does_not_hold_is_counted_and_told_once(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", more=GROWN))
    scene.person(seats=3)
    limit_reached(scene, times=3)
    assert counted(scene) == [("anna", "offer", "condition", 3)]
    (words,) = told(scene)
    assert words == (
        "signal 'limit_reached' did not start 'offer': its condition did not hold; "
        "asked 3 times, last at 2026-03-03 14:00 UTC"
    )


def test_whoever_is_let_in_is_not_counted(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", more=GROWN))
    scene.person(seats=30)
    limit_reached(scene)
    assert counted(scene) == []
    assert scene.messages() == [("say", "email", "sent")]


def test_the_member_who_is_not_the_one_to_ask_is_told_so(scene: Scene) -> None:
    signals = SIGNALS.replace("plan: text,", "plan: text, role: text,")
    scene.publish_playbooks(one_message("offer", more=OWNERS), signals=signals)
    scene.person("anna", account="acme", role="user")
    scene.person("olga", account="acme", role="owner", seats=3)
    scene.engine.identify([Identify(key="acme", traits={"tier": "gold"}, account=True)])
    scene.drain()
    limit_reached(scene, times=2)
    assert counted(scene) == [("anna", "offer", "colleague", 2), ("olga", "offer", "condition", 2)]
    (words,) = told(scene)
    assert words.startswith(
        "signal 'limit_reached' did not start 'offer': a colleague of the same account is asked"
    )


def test_a_daily_question_leaves_no_line(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", more=DAILY))
    scene.person(seats=3)
    for _ in range(3):
        scene.engine.scan()
        scene.let_pass(days=1)
    assert counted(scene) == []
    assert told(scene) == []


def test_the_signals_of_one_batch_make_one_row(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", more=GROWN))
    scene.person(seats=3)
    scene.engine.track([Track(key="anna", event="limit_reached") for _ in range(50)])
    scene.drain()
    assert counted(scene) == [("anna", "offer", "condition", 50)]
