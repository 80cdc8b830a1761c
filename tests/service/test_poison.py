"""One customer whose work cannot be decided is set aside with the reason; the others, and her own rights, are not."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import text

from orchestrator.core import entry
from orchestrator.core.policies import quiet_hours
from orchestrator.core.policies.request import PolicyRequest
from orchestrator.records.intake import Track
from tests.support.engine import Scene, one_message

RUBBISH = (
    "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
    " SELECT id, 999999, 'rubbish', created_at, created_at, '{}' FROM customers WHERE key = :key"
)


def set_aside(scene: Scene) -> list[tuple[str, str]]:
    return [(one.customer_key, one.reason) for one in scene.engine.reports.parked()]


def test_a_poisoned_inbox_parks_one_and_the_others_go_on(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    for key in ("anna", "bea", "cleo"):
        scene.person(key)
        scene.start(key, "mail")
    scene.execute(RUBBISH, key="bea")
    scene.drain()
    assert set_aside(scene) == [("bea", "ValueError")]
    assert scene.spoken() == [("anna", "email"), ("cleo", "email")]
    assert scene.engine.reports.health().parked == {"ValueError": 1}
    scene.let_pass(days=5)
    assert scene.path("anna")[-1] == scene.path("cleo")[-1] == "finished"
    assert scene.step("bea") == "say"
    assert scene.engine.next_due() is None, "who is parked keeps nobody awake"


def test_who_is_let_go_again_goes_on(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.start("anna", "mail")
    scene.execute(RUBBISH, key="anna")
    scene.drain()
    scene.execute("DELETE FROM inbox WHERE kind = 'rubbish'")
    assert scene.engine.release(scene.value("SELECT id FROM customers"), 0)
    assert not scene.engine.release(scene.value("SELECT id FROM customers"), 0), "nobody is parked any more"
    scene.let_pass(days=5)
    assert scene.path("anna") == ["say:no_response", "finished"]


def test_a_policy_that_fails_for_one_at_the_hand_over_parks_only_her(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.publish_playbooks(one_message("mail"))
    for key in ("anna", "bea", "cleo"):
        scene.person(key)
        scene.start(key, "mail")
    real = quiet_hours.verdict

    def fails_for_bea(question: PolicyRequest) -> object:
        if question.address == "bea@shop.example":
            raise ZeroDivisionError
        return real(question)

    monkeypatch.setattr(quiet_hours, "verdict", fails_for_bea)
    scene.drain()
    assert set_aside(scene) == [("bea", "ZeroDivisionError")]
    assert scene.spoken() == [("anna", "email"), ("cleo", "email")]


def test_an_answer_of_a_provider_is_filed_even_for_a_poisoned_customer(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    for key in ("anna", "bea"):
        scene.person(key)
        scene.start(key, "mail")
    scene.outbox.channels["email"].before = lambda message: (
        scene.execute(RUBBISH, key="bea") if message.customer_key == "bea" else None
    )
    scene.drain()
    assert scene.messages("anna") == scene.messages("bea") == [("say", "email", "sent")]
    assert set_aside(scene) == [("bea", "ValueError")]


def test_a_customer_whose_lock_does_not_come_delays_no_other_who_was_passed_over(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    keys = [scene.person(key) for key in ("anna", "bea", "cleo")]
    scene.engine.track([Track(key=key, event="session_started") for key in keys])
    scene.skip(minutes=1)
    with scene.engine.database.begin() as elsewhere:
        elsewhere.execute(text("SELECT id FROM customers WHERE key = 'anna' FOR UPDATE"))
        assert scene.engine.sweep() == 1, "the others are taken by the next batch"
        assert scene.engine.advance().customers == 2
        waiting = scene.rows("SELECT c.key FROM inbox i JOIN customers c ON c.id = i.customer_id")
    assert [row.key for row in waiting] == ["anna"]
    assert set_aside(scene) == []
    scene.drain()
    assert scene.value("SELECT count(*) FROM inbox") == 0


def test_a_value_too_long_for_its_index_parks_one_and_the_others_go_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's driver calls this operational, as it does an outage; it would fail for ever and stop every batch."""
    monkeypatch.setattr(entry, "LONGEST_REENTRY_KEY", 10_000)
    scene.publish_playbooks(
        one_message(
            "mail",
            more="enter: {when: limit_reached, because: you are full, reentry: {per: order, after: 1d}}\n"
            "context: {order: text}\n",
        )
    )
    keys = [scene.person(key) for key in ("anna", "bea", "cleo")]
    orders = {"anna": "A", "bea": secrets.token_hex(3000), "cleo": "C"}
    scene.engine.track(
        [Track(key=key, event="limit_reached", properties={"order": orders[key]}) for key in keys]
    )
    scene.drain()
    assert [key for key, _ in set_aside(scene)] == ["bea"]
    assert scene.spoken() == [("anna", "email"), ("cleo", "email")]
