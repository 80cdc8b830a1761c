"""The journal is the walk: it folds to every state there is. And the same story twice gives the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from channels.base import ReceiptKind, SendStatus
from orchestrator.core.machine.enrollment import EnrollmentState, state_from_json, state_to_json
from orchestrator.records.intake import Track
from tests.support.engine import EVIDENCE, Scene, one_message, open_scene, playbook
from tests.support.postgres import Databases

LONG = playbook(
    "long",
    """\
  half:  {split: {left: 50%, right: 50%}, then: {left: show, right: mail}}
  show:  {send: {channel: in_app, template: note}, wait: 12h, then: {clicked: tag, dismissed: mail, no_response: mail}}
  mail:  {send: {channel: email, template: note}, wait: 2d, at_most: 2, then: {clicked: tag, no_response: rich}}
  tag:   {set: {add_tags: [keen]}, then: rich}
  rich:  {choose: [{if: {seats: {at_least: 5}}, go: brief}, {go: rest}]}
  brief: {handoff: {to: crm, template: brief}, wait: 5d, then: {closed: rest, no_response: rest}}
  rest:  {cooldown: 21d, then: done}
  done:  {end: finished}
""",
    more="holdout: 20%\ngoal: {event: plan_upgraded, within: 60d, value: mrr_delta}\n"
    "enter: {when: limit_reached, because: x, reentry: {after: 10d}}\n",
)
POLICY = "caps:\n  - {at_most: 2, within: 7d}\nrests: {ignored: 2d}\n"
TABLES = (
    "customers", "contact_points", "enrollments", "timers", "journal", "messages", "dispatch", "receipts", "verdicts",
    "cap_slots", "feed_items", "signals", "cooldowns", "conversions", "refusals", "parked", "inbox",
)  # fmt: skip


def live(scene: Scene) -> Scene:
    """Two dozen people over a month: they answer, ignore, buy and leave, each by her number; providers fail."""
    scene.publish_playbooks(LONG, one_message("other", more="priority: 80\n"), policy=POLICY)
    keys = scene.people(24)
    scene.provider_fails("email", SendStatus.TRY_AGAIN, address="p00*", times=3)
    scene.provider_fails("email", SendStatus.UNCERTAIN, address="p01*", times=2)
    scene.provider_fails("email", SendStatus.REFUSED, address="p02*", times=2, mark_address=True, code="550")
    scene.engine.track([Track(key=key, event="limit_reached", source_id="1") for key in keys])
    for number, key in enumerate(keys):
        if number % 3 == 0:
            scene.start(key, "other")
    for day in range(30):
        scene.let_pass(days=1)
        for number, key in enumerate(keys):
            answer_of(scene, key, (number * 7 + day) % 29)
    scene.let_pass(days=40)
    return scene


def answer_of(scene: Scene, key: str, mood: int) -> None:
    engine = scene.engine
    if mood == 1:
        engine.track([Track(key=key, event="plan_upgraded", properties={"mrr_delta": 10}, source_id="2")])
    elif mood == 2:
        engine.opt_out(key, channel="email", evidence=EVIDENCE, source_id="3")
    elif mood in (3, 4) and scene.messages(key):
        engine.respond(scene.message_id(key), ("clicked", "dismissed")[mood - 3])
    elif mood == 5 and scene.messages(key):
        scene.provider_reports(key, ReceiptKind.OPENED)
    elif mood == 6:
        engine.track([Track(key=key, event="limit_reached", source_id="4")])


def rows_of(scene: Scene) -> dict[str, list[Any]]:
    return {
        table: [tuple(row) for row in scene.rows(f"SELECT * FROM {table} ORDER BY {table}::text")]
        for table in TABLES
    }


def test_the_journal_folds_to_every_state(scene: Scene) -> None:
    live(scene)
    walks = scene.rows("SELECT customer_id, id, state FROM enrollments")
    assert len(walks) > 24
    for walk in walks:
        plain = state_to_json(EnrollmentState())
        lines = scene.rows(
            "SELECT data FROM journal WHERE customer_id = :customer AND enrollment_id = :id ORDER BY seq",
            customer=walk.customer_id,
            id=walk.id,
        )
        for line in lines:
            plain |= line.data
        assert state_from_json(plain) == state_from_json(walk.state)


def test_the_same_story_twice_gives_the_same_rows(databases: Databases, tmp_path: Path) -> None:
    told: list[dict[str, list[Any]]] = []
    for number in range(2):
        with databases.empty() as url:
            scene = live(open_scene(url, tmp_path / f"{number}"))
            told.append(rows_of(scene))
            assert scene.violations() == []
            scene.engine.close()
    assert {row[0] for row in told[0]["cap_slots"]}
    for table in TABLES:
        assert told[0][table] == told[1][table], table
