"""What comes in while a batch reads its customers, and in which order what came together is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from orchestrator.records.intake import Identify, Track
from orchestrator.store.batch import load
from orchestrator.store.sql.pipeline import PipelinedQuery
from tests.support.engine import Scene, one_message, playbook

WON = one_message("won", wait="1d", more="goal: {event: plan_upgraded, within: 45d, value: mrr_delta}\n")
WAITING = playbook("waiting", "  idle: {wait: 3d, then: done}\n  done: {end: finished}\n", topic="service")


def arrive_before_each_statement(monkeypatch: pytest.MonkeyPatch, arrive: Callable[[int, int], None]) -> None:
    """``arrive`` is called with the customer and a number before each statement that reads their batch."""
    real = load.ask_all
    asked: Counter[int] = Counter()

    def one_by_one(connection: Connection, questions: Sequence[PipelinedQuery]) -> list[list[Any]]:
        answers = []
        for question in questions:
            if "ids" in question.values:
                customer_id = question.values["ids"][0]
                arrive(customer_id, asked[customer_id])
                asked[customer_id] += 1
            answers += real(connection, [question])
        return answers

    monkeypatch.setattr(load, "ask_all", one_by_one)


def test_whatever_arrives_between_two_statements_is_applied_now_or_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given mails that were sent and enrollments that are over, when a goal and an answer arrive while a batch is read,
    at whichever statement, then both count."""
    scene.publish_playbooks(WON, WAITING)
    keys = scene.people(10)
    for key in keys:
        scene.start(key, "won")
    scene.drain()
    scene.let_pass(days=2)
    for key in keys:
        scene.start(key, "waiting")
    scene.drain()
    scene.skip(days=3, minutes=1)
    ids = {row.id: row.key for row in scene.rows("SELECT id, key FROM customers")}
    turns = {customer_id: turn for turn, customer_id in enumerate(sorted(ids))}
    arrived: list[int] = []

    def arrive(customer_id: int, number: int) -> None:
        if number == turns[customer_id] and customer_id not in arrived:
            arrived.append(customer_id)
            upgraded = Track(key=ids[customer_id], event="plan_upgraded", properties={"mrr_delta": 9})
            scene.engine.track([upgraded])
            scene.respond(ids[customer_id], "clicked", step="say")

    arrive_before_each_statement(monkeypatch, arrive)
    while scene.engine.advance(limit=1).customers:
        continue
    assert len(arrived) == 10, "one customer for each statement of the load"
    monkeypatch.undo()
    scene.drain()
    reached = {row.customer_id for row in scene.rows("SELECT customer_id FROM conversions")}
    clicked = {
        row.customer_id for row in scene.rows("SELECT customer_id FROM messages WHERE responses ? 'clicked'")
    }
    assert reached == set(arrived)
    assert clicked == set(arrived)
    assert scene.value("SELECT count(*) FROM inbox") == 0
    assert (
        scene.value("SELECT count(*) FROM enrollments WHERE playbook = 'waiting' AND ended_at IS NULL") == 0
    )


TIERED = one_message(
    "tiered",
    more="enter: {when: limit_reached, if: {account.tier: gold, because: x}, reentry: {after: 1h}}\n",
)
ONE_PER = one_message(
    "one_per",
    more="enter: {when: limit_reached, because: x, one_per: {account: [owner, admin]}, reentry: {after: 1h}}\n",
)


def entered(scene: Scene) -> list[tuple[str, str]]:
    rows = scene.rows(
        "SELECT e.playbook, c.key FROM enrollments e JOIN customers c ON c.id = e.customer_id ORDER BY 1, 2"
    )
    return [(row.playbook, row.key) for row in rows]


def member(key: str, account: str, **traits: Any) -> Identify:
    known = {"email": f"{key}@shop.example", "timezone": "UTC", "account": account}
    return Identify(key=key, traits=known | traits)


@pytest.mark.parametrize("moved", [False, True], ids=["new", "from another account"])
def test_an_event_sees_the_account_joined_in_the_same_flush(scene: Scene, moved: bool) -> None:
    scene.publish_playbooks(TIERED, ONE_PER)
    scene.engine.identify([Identify(key="acme", account=True, traits={"tier": "gold"})])
    scene.engine.identify([Identify(key="small", account=True, traits={"tier": "free"})])
    scene.engine.identify([member("owner", "acme", role="owner")])
    if moved:
        scene.engine.identify([member("anna", "small", role="owner")])
    scene.drain()
    scene.engine.identify([member("anna", "acme", role="user")])
    scene.engine.track([Track(key="anna", event="limit_reached")])
    scene.drain()
    assert entered(scene) == [("one_per", "owner"), ("tiered", "anna")]


def test_an_event_before_the_change_sees_the_account_of_then(scene: Scene) -> None:
    scene.publish_playbooks(TIERED)
    scene.engine.identify([Identify(key="acme", account=True, traits={"tier": "gold"})])
    scene.engine.track([Track(key="anna", event="limit_reached")])
    scene.engine.identify([member("anna", "acme")])
    scene.drain()
    assert entered(scene) == []


def test_the_role_told_in_the_same_flush_counts(scene: Scene) -> None:
    scene.publish_playbooks(ONE_PER)
    scene.engine.identify([member("zoe", "acme", role="admin")])
    scene.drain()
    scene.engine.identify([member("anna", "acme", role="user")])
    scene.drain()
    scene.engine.identify([member("anna", "acme", role="owner")])
    scene.engine.track([Track(key="anna", event="limit_reached")])
    scene.drain()
    assert entered(scene) == [("one_per", "anna")]


def test_a_colleague_told_of_in_the_same_flush_is_known(scene: Scene) -> None:
    """A whole account comes in at once: who is spoken to does not hang on whose inbox is read first."""
    scene.publish_playbooks(ONE_PER)
    scene.engine.identify([member("anna", "acme", role="user"), member("zoe", "acme", role="admin")])
    scene.engine.track([Track(key="anna", event="limit_reached")])
    while scene.engine.advance(limit=1).customers:
        continue
    assert entered(scene) == [("one_per", "zoe")]


def test_what_is_told_of_an_account_reaches_who_joined_in_the_same_flush(scene: Scene) -> None:
    scene.publish_playbooks(TIERED)
    scene.engine.identify([member("anna", "acme"), member("zoe", "acme")])
    scene.engine.identify([Identify(key="acme", account=True, traits={"tier": "gold"})])
    scene.engine.track([Track(key="acme", account=True, event="limit_reached")])
    scene.drain()
    assert entered(scene) == [("tiered", "anna"), ("tiered", "zoe")]


def test_a_goal_of_an_account_counts_for_who_joined_in_the_same_flush(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("seat", more="goal: {event: plan_upgraded, within: 9d, by: account}\n")
    )
    for key in scene.people(2):
        scene.start(key, "seat")
    scene.drain()
    scene.engine.identify([member("p000", "acme"), member("p001", "acme")])
    scene.engine.track([Track(key="p000", event="plan_upgraded")])
    scene.drain()
    assert scene.value("SELECT count(*) FROM conversions") == 2
