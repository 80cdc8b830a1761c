"""The whole base is asked once a day and after another policy, a page at a time, and never more than may wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.records.inbox import Lane
from orchestrator.store import base_scans
from tests.support.engine import Scene, one_message

DAILY = "enter: {every: day, if: {seats: {at_least: 5}}, because: grown, reentry: {after: 1h}}\n"
SILENT = 'quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'
CAPS = "caps:\n  - {at_most: 9, within: 7d}\n"
PLAYBOOKS = (one_message("daily", more=DAILY), one_message("mail"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_scans, "PAGE", 10)
    monkeypatch.setattr(base_scans, "ROOM", 20)


def waiting(scene: Scene, kind: str) -> int:
    return int(
        scene.value(
            "SELECT count(*) FROM inbox WHERE kind = :kind AND lane = :lane",
            kind=kind,
            lane=int(Lane.BACKGROUND),
        )
    )


def heard(scene: Scene, kind: str) -> int:
    """How many were asked until sweeps and workers find nothing more."""
    found = 0
    while rows := waiting(scene, kind):
        found += rows
        scene.drain()
        scene.engine.sweep()
    return found


def test_everybody_is_asked_once_a_day_as_background_takes_them_up(scene: Scene) -> None:
    scene.publish_playbooks(*PLAYBOOKS)
    scene.people(45)
    assert scene.engine.scan() == 20
    assert scene.engine.scan() == 0, "enough wait"
    scene.engine.sweep()
    assert waiting(scene, "consider") == 20
    assert heard(scene, "consider") == 45
    assert scene.engine.scan() == 0, "once a day"
    scene.person("late")
    assert scene.engine.scan() == 1, "who is new is asked on the same day"
    scene.skip(timedelta(days=1))
    assert scene.engine.scan() == 20
    scene.drain()


def test_a_playbook_that_is_paused_or_gone_is_asked_about_no_more(scene: Scene) -> None:
    scene.publish_playbooks(*PLAYBOOKS)
    scene.people(45)
    assert scene.engine.scan() == 20
    scene.drain()
    scene.engine.pause("daily", reason="a pause")
    assert scene.engine.scan() == 0
    scene.engine.resume("daily")
    assert scene.engine.scan() == 20


def test_another_policy_asks_whoever_waits_page_after_page(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), policy=SILENT)
    for key in scene.people(45):
        scene.start(key, "mail")
    scene.drain()
    assert scene.value("SELECT count(*) FROM dispatch WHERE due_at > :now", now=scene.now) == 45
    scene.publish_playbooks(one_message("mail"), policy=SILENT + CAPS)
    assert 1 <= waiting(scene, "policy") <= 10, "publishing costs the same whoever waits"
    assert heard(scene, "policy") == 45
