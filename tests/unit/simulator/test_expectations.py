"""What the crowd reads from a playbook: its goals, what its steps listen for, how hand-overs end."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.language.model import Playbook
from orchestrator.language.reading.playbook import read_playbook
from orchestrator.simulator.expectations import Cue, story_of
from orchestrator.simulator.seeded_choice import SeededChoice

CHECKOUT = """\
playbook: checkout
version: 1
title: A started upgrade is finished
topic: upsell
context: {checkout_id: text, list_price: money, soon: date, urgent: flag}
signals:
  bought: {event: plan_upgraded, where: {checkout_id: {same_as: checkout_id}, plan: team}}
  cancelled: {event: checkout_cancelled, where: {checkout_id: {same_as: checkout_id}}}
enter: {when: checkout_started, because: "it is waiting", reentry: {per: checkout_id}}
goal: {event: bought, within: 30d, value: mrr_delta}
at_any_step: {cancelled: stopped}
steps:
  remind:
    send: {channel: email, template: remind}
    wait: 2d
    then: {clicked: rest, trial_started: rest, no_response: sales}
  sales:
    handoff: {to: crm, template: brief}
    wait: 7d
    then: {closed: {lost: stopped, won: rest, else: rest}, no_response: rest}
  rest: {cooldown: 14d, then: done}
  stopped: {end: stopped}
  done: {end: no_conversion}
"""


def playbook(text: str = CHECKOUT) -> Playbook:
    made, problems = read_playbook(text)
    assert made is not None, problems
    return made


def test_a_goal_is_the_signal_that_is_meant_with_its_value() -> None:
    (goal,) = story_of(playbook()).goals
    assert goal == Cue(
        event="plan_upgraded",
        fixed=(("plan", "team"),),
        from_context=(("checkout_id", "checkout_id"),),
        value="mrr_delta",
    )


def test_properties_of_a_goal_come_from_the_run_it_belongs_to() -> None:
    (goal,) = story_of(playbook()).goals
    facts = goal.properties({"checkout_id": "c-7"}, SeededChoice(1), "ada")
    assert facts["checkout_id"] == "c-7"
    assert facts["plan"] == "team"
    assert facts["mrr_delta"] > 0


def test_a_step_listens_for_its_own_signals_and_those_of_any_step_but_not_for_outcomes() -> None:
    cues = story_of(playbook()).cues
    assert [cue.event for cue in cues["remind"]] == ["trial_started", "checkout_cancelled"]


def test_a_hand_over_is_closed_by_one_of_its_words() -> None:
    assert story_of(playbook()).endings["sales"] == ("lost", "won")


def test_invented_context_has_the_declared_types() -> None:
    story = story_of(playbook())
    made = story.invented_context(datetime(2026, 10, 5, tzinfo=UTC), SeededChoice(1), "ada")
    assert set(made) == {"checkout_id", "list_price", "soon", "urgent"}
    assert isinstance(made["list_price"], int)
    assert isinstance(made["urgent"], bool)
    assert datetime.fromisoformat(made["soon"])


def test_a_playbook_without_a_way_in_is_started_by_the_product() -> None:
    text = CHECKOUT.replace("when: checkout_started, ", "")
    assert story_of(playbook(text)).by_product
    assert not story_of(playbook()).by_product
    assert story_of(playbook()).entry == ("checkout_started",)
