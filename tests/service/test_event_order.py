"""What follows from a command is over before the next command of the same decision begins."""

from __future__ import annotations

from tests.support.engine import Scene, playbook

UPGRADES = playbook(
    "upgrades",
    "  mark: {set: {attributes: {plan: pro}}, then: mail}\n"
    "  mail: {send: {channel: email, template: note}, wait: 2d, then: done}\n"
    "  done: {end: finished}\n",
)
WAITS = playbook(
    "waits",
    "  hold: {wait_until: {plan: pro}, wait: 9d, then: {met: mail, no_response: done}}\n"
    "  mail: {send: {channel: email, template: note}, wait: 2d, then: done}\n"
    "  done: {end: finished}\n",
)


def test_others_hear_of_a_trait_before_the_message_after_it_is_planned(scene: Scene) -> None:
    scene.publish_playbooks(UPGRADES, WAITS)
    scene.person()
    scene.start("anna", "waits")
    scene.start("anna", "upgrades")
    planned = [row.playbook for row in scene.rows("SELECT playbook FROM messages ORDER BY id")]
    assert planned == ["waits", "upgrades"]
