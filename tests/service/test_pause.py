"""A paused playbook lets nobody in, whoever is in it goes on, and the first reason stands."""

from __future__ import annotations

import pytest

from orchestrator.errors import NotFound, StartRefused
from tests.support.engine import Scene, one_message


def test_a_paused_playbook_lets_nobody_in_until_it_is_resumed(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person("anna")
    scene.person("bea")
    scene.start("anna", "mail")
    scene.engine.pause("mail", reason="the offer is wrong")
    with pytest.raises(StartRefused) as refused:
        scene.start("bea", "mail")
    assert refused.value.reason == "paused"
    scene.let_pass(days=5)
    assert scene.path("anna") == ["say:no_response", "finished"]
    scene.engine.resume("mail")
    assert scene.start("bea", "mail").created


def test_pausing_twice_keeps_the_first_reason(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    for reason in ("the offer is wrong", "again"):
        scene.engine.pause("mail", reason=reason)
    assert scene.engine.reports.playbook("mail").paused == "the offer is wrong"


def test_only_what_is_published_is_paused(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    with pytest.raises(NotFound):
        scene.engine.pause("male", reason="a slip of the keys")
    scene.engine.resume("mail")
    assert scene.engine.reports.playbook("mail").paused is None
