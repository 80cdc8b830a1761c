"""A survey that is answered when the walk has gone on: the answer is kept, known to what follows, and told."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.records.intake import Track
from tests.support.engine import Scene, playbook

DAY = timedelta(days=1)
SURVEY = playbook(
    "survey",
    """\
  why:
    ask: {channel: in_app, question: What stopped you, answers: {price: Too expensive, boss: My boss}, saves: reason}
    wait: 1d
    then: {answered: thanks, no_response: rest}
  rest:   {wait: 2d, then: which}
  which:  {choose: [{if: {answer.why: price}, go: cheaper}, {go: done}]}
  cheaper: {send: {channel: email, template: note}, wait: 1d, then: done}
  thanks: {end: thanks}
  done:   {end: finished}
""",
    more="goal: {event: plan_upgraded, within: 3d}\n",
)


def asked(scene: Scene) -> Scene:
    """Anna was asked, and said nothing for a day."""
    scene.publish_playbooks(SURVEY)
    scene.person()
    scene.start("anna", "survey")
    scene.let_pass(DAY)
    assert scene.step("anna") == "rest"
    return scene


def answers(scene: Scene) -> tuple[dict[str, str], dict[str, str]]:
    row = scene.rows("SELECT state->'answers' AS answers, state->'saved' AS saved FROM enrollments")[0]
    return row.answers, row.saved


def told(scene: Scene) -> list[str]:
    return [
        entry["words"] for entry in scene.engine.export("anna")["timeline"] if entry["kind"] == "response"
    ]


def test_while_the_walk_lives_what_follows_knows_it(scene: Scene) -> None:
    asked(scene)
    scene.respond("anna", "answered", step="why", detail="price")
    scene.drain()
    assert scene.step("anna") == "rest", "a late answer moves nobody"
    assert answers(scene) == ({"why": "price"}, {"reason": "price"})
    assert "the in_app question of 'why': answered with 'price'" in told(scene)
    scene.let_pass(4 * DAY)
    assert scene.path("anna") == [
        "why:no_response",
        "rest:no_response",
        "which:chosen",
        "cheaper:no_response",
        "finished",
    ]


def test_after_the_end_it_is_kept_too(scene: Scene) -> None:
    asked(scene)
    scene.let_pass(9 * DAY)
    ended = scene.path("anna")
    scene.respond("anna", "answered", step="why", detail="boss")
    scene.drain()
    assert answers(scene) == ({"why": "boss"}, {"reason": "boss"})
    assert scene.path("anna") == ended
    assert "the in_app question of 'why': answered with 'boss'" in told(scene)
    assert scene.value("SELECT count(*) FROM timers") == 0


def test_after_a_goal_it_is_kept_too(scene: Scene) -> None:
    asked(scene)
    scene.engine.track([Track(key="anna", event="plan_upgraded")])
    scene.drain()
    assert scene.path("anna")[-1] == "converted"
    scene.let_pass(90 * DAY)
    scene.respond("anna", "answered", step="why", detail="price", comment="we are few")
    scene.drain()
    assert answers(scene) == ({"why": "price"}, {"reason": "price"})


def test_the_first_answer_stays(scene: Scene) -> None:
    scene.publish_playbooks(SURVEY)
    scene.person()
    scene.start("anna", "survey")
    scene.drain()
    scene.respond("anna", "answered", step="why", detail="boss", source_id="one")
    scene.drain()
    assert scene.path("anna") == ["why:answered", "thanks"]
    scene.respond("anna", "answered", step="why", detail="price", source_id="two")
    scene.drain()
    assert answers(scene) == ({"why": "boss"}, {"reason": "boss"})
