"""An enrollment that cannot go on, because it failed or cannot be read here, waits alone: nobody else notices, and it
catches up when it goes on."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.function import FunctionCall
from orchestrator.errors import StartRefused, Unavailable
from orchestrator.records.intake import Identify, Track
from orchestrator.service.enrollment import event_queue
from tests.support.engine import Scene, one_message, open_scene, playbook, settings_of

Decide = Callable[..., Any]
LISTENS = playbook(
    "listens",
    "  say:  {send: {channel: email, template: note}, wait: 3d, then: {clicked: yes, no_response: no}}\n"
    "  yes: {end: finished}\n  no: {end: stopped}\n",
)
OF_THE_NEXT_RELEASE = (
    "UPDATE playbooks SET definition = definition || jsonb_build_object('of_the_next_release', 1)"
    " WHERE name = :name"
)
OF_THIS_RELEASE = "UPDATE playbooks SET definition = definition - 'of_the_next_release' WHERE name = :name"


def parked(scene: Scene) -> list[tuple[str, bool, str]]:
    """(customer, whether one enrollment alone, reason)"""
    return [(one.customer_key, one.enrollment_id > 0, one.reason) for one in scene.engine.reports.parked()]


AnotherProcess = Callable[[Scene], Scene]


@pytest.fixture
def another_process(database_url: str, tmp_path: Path) -> Iterator[AnotherProcess]:
    """A worker of the same database that has read nothing yet, beginning when the given one is."""
    with ExitStack() as opened:

        def open_another(scene: Scene) -> Scene:
            other = open_scene(database_url, tmp_path, start=scene.clock.now)
            opened.callback(other.close)
            return other

        yield open_another


def failing(monkeypatch: pytest.MonkeyPatch, playbook_name: str) -> None:
    """Whatever happens to an enrollment of this playbook raises."""
    real: Decide = event_queue.decide

    def decide(compiled: Any, enrollment: Any, *rest: Any) -> Any:
        if enrollment.playbook == playbook_name:
            raise ZeroDivisionError("by its words")
        return real(compiled, enrollment, *rest)

    monkeypatch.setattr(event_queue, "decide", decide)


@pytest.fixture
def anna(scene: Scene) -> Scene:
    """Anna is in two playbooks, and bea in one of them."""
    scene.publish_playbooks(one_message("mail"), one_message("other"))
    for key in ("anna", "bea"):
        scene.person(key)
    scene.start("anna", "mail")
    scene.start("anna", "other")
    scene.start("bea", "mail")
    scene.drain()
    return scene


def test_an_enrollment_that_fails_is_parked_and_the_customers_others_go_on(
    anna: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "other")
    anna.let_pass(days=5)
    assert parked(anna) == [("anna", True, "ZeroDivisionError")]
    detail = anna.engine.reports.parked()[0].detail
    assert detail == "other v1, step say: by its words"
    assert anna.path("anna", "mail")[-1] == anna.path("bea")[-1] == "finished"
    assert anna.step("anna", "other") == "say"
    assert anna.engine.next_due() is None, "who is parked keeps nobody awake"


def test_a_state_that_cannot_be_read_parks_that_enrollment_alone(anna: Scene) -> None:
    state = anna.value("SELECT state FROM enrollments WHERE playbook = 'other'")
    anna.execute("UPDATE enrollments SET state = '{}' WHERE playbook = 'other'")
    anna.let_pass(days=5)
    assert parked(anna) == [("anna", True, "unreadable")]
    assert anna.path("anna", "mail")[-1] == anna.path("bea")[-1] == "finished"
    anna.execute(
        "UPDATE enrollments SET state = CAST(:state AS jsonb) WHERE playbook = 'other'",
        state=json.dumps(state),
    )


def test_a_parked_enrollment_keeps_its_message_and_its_place_until_it_is_released(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.publish_playbooks(LISTENS)
    scene.person()
    scene.start("anna", "listens")
    found = scene.rows("SELECT customer_id, id FROM enrollments")[0]
    with monkeypatch.context() as faulty:
        failing(faulty, "listens")
        scene.drain()
        assert parked(scene) == [("anna", True, "ZeroDivisionError")]
        scene.let_pass(hours=3)
    assert scene.messages("anna") == [("say", "email", "planned")]
    with pytest.raises(StartRefused) as refused:
        scene.engine.start_playbook("anna", "listens")
    assert refused.value.reason == "already_live"
    assert scene.engine.release(found.customer_id, found.id)
    scene.drain()
    assert scene.messages("anna") == [("say", "email", "sent")]


@pytest.fixture
def upgraded(scene: Scene, another_process: AnotherProcess) -> tuple[Scene, Scene]:
    """A scene in which anna was written to by a version that another process, the second, cannot read; bea is in one
    that it can."""
    scene.publish_playbooks(LISTENS, one_message("other"))
    for key in ("anna", "bea"):
        scene.person(key)
    scene.start("anna", "listens")
    scene.start("anna", "other")
    scene.start("bea", "other")
    scene.drain()
    scene.execute(OF_THE_NEXT_RELEASE, name="listens")
    return scene, another_process(scene)


def test_a_version_of_the_next_release_parks_nobody_and_waits_for_it(
    upgraded: tuple[Scene, Scene], another_process: AnotherProcess
) -> None:
    scene, older = upgraded
    older.let_pass(days=10)
    assert parked(older) == []
    assert older.path("anna", "other")[-1] == older.path("bea", "other")[-1] == "finished"
    assert older.step("anna", "listens") == "say"
    assert older.engine.next_due() is None, "it is not due here"
    scene.execute(OF_THIS_RELEASE, name="listens")
    newer = another_process(older)
    newer.drain()
    assert newer.path("anna", "listens")[-1] == "stopped"


def test_who_is_in_an_unreadable_version_is_served_in_everything_else(upgraded: tuple[Scene, Scene]) -> None:
    scene, older = upgraded
    older.person("cleo")
    older.start("cleo", "other")
    older.engine.identify([Identify(key="anna", traits={"plan": "gold"})])
    older.engine.track([Track(key="anna", event="limit_reached")])
    older.drain()
    with pytest.raises(Unavailable):
        older.engine.start_playbook("cleo", "listens")
    assert older.opted_out("anna").effective_at == older.clock.now
    older.drain()
    assert scene.value("SELECT attributes->>'plan' FROM customers WHERE key = 'anna'") == "gold"
    assert scene.value("SELECT count(*) FROM signals WHERE name = 'limit_reached'") == 1
    assert parked(older) == []


def test_an_answer_that_comes_while_it_waits_is_heard_when_it_goes_on(
    upgraded: tuple[Scene, Scene], another_process: AnotherProcess
) -> None:
    scene, older = upgraded
    sent = scene.why("anna")[0]
    older.engine.respond(sent.message_id, "clicked", detail="plans")
    older.drain()
    assert scene.value("SELECT count(*) FROM inbox") == 0, "it holds up nothing of the customer's"
    assert scene.value("SELECT jsonb_array_length(missed) FROM enrollments WHERE playbook = 'listens'") == 1
    scene.execute(OF_THIS_RELEASE, name="listens")
    older.skip(days=30)
    newer = another_process(older)
    newer.drain()
    assert newer.path("anna", "listens") == ["say:clicked", "finished"], (
        "the answer came before the wait was over"
    )
    assert scene.value("SELECT count(missed) FROM enrollments") == 0


def test_a_message_of_an_unreadable_version_is_neither_sent_nor_withdrawn(
    scene: Scene, another_process: AnotherProcess
) -> None:
    scene.publish_playbooks(LISTENS)
    scene.person()
    scene.start("anna", "listens")
    scene.execute(OF_THE_NEXT_RELEASE, name="listens")
    older = another_process(scene)
    older.let_pass(timedelta(hours=1))
    assert older.messages("anna") == [("say", "email", "planned")]
    scene.execute(OF_THIS_RELEASE, name="listens")
    newer = another_process(older)
    newer.drain()
    assert newer.messages("anna") == [("say", "email", "sent")]


COUPON = playbook(
    "coupon",
    "  make: {call: {function: make_coupon, saves: coupon}, then: {done: yes, failed: no}}\n"
    "  yes: {end: finished}\n  no: {end: stopped}\n",
)


def test_a_function_that_is_not_registered_here_is_waited_for_and_shown(
    scene: Scene, database_url: str, tmp_path: Path
) -> None:
    scene.publish_playbooks(COUPON, one_message("mail"))
    for key in ("anna", "bea"):
        scene.person(key)
    scene.start("anna", "coupon")
    scene.start("bea", "mail")
    scene.let_pass(minutes=30)
    assert scene.messages("anna") == [("make", "call", "planned")]
    assert scene.spoken("bea") == [("bea", "email")]
    assert parked(scene) == []
    assert scene.engine.definition_faults() == ["coupon v1 calls 'make_coupon', which is not registered here"]
    called: list[str] = []

    def make_coupon(call: FunctionCall) -> dict[str, str]:
        called.append(call.customer)
        return {"code": "X"}

    upgraded = Scene.open(
        database_url,
        start=scene.clock.now,
        folder=tmp_path,
        settings=settings_of(database_url),
        functions={"make_coupon": make_coupon},
        mode="manual",
    )
    with closing(upgraded):
        upgraded.let_pass(minutes=15)
        assert called == ["anna"]
        assert upgraded.path("anna") == ["make:done", "finished"]
        assert upgraded.engine.definition_faults() == []


def test_a_version_that_cannot_be_read_is_shown(upgraded: tuple[Scene, Scene]) -> None:
    _, older = upgraded
    (fault,) = older.engine.definition_faults()
    assert fault.startswith("listens v1 cannot be read: PlaybookError: ")
    assert "of_the_next_release" in fault


def test_a_key_too_long_to_tell_runs_apart_is_refused_at_the_door(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message(
            "order",
            more="enter: {when: limit_reached, because: you are full, reentry: {per: order, after: 1d}}\n"
            "context: {order: text}\n",
        )
    )
    for key in ("anna", "bea"):
        scene.person(key)
    with pytest.raises(StartRefused) as refused:
        scene.engine.start_playbook("anna", "order", context={"order": "x" * 201})
    assert refused.value.reason == "context"
    assert "at most 200 characters, got 201" in refused.value.detail
    scene.engine.track(
        [Track(key="anna", event="limit_reached", properties={"order": secrets.token_hex(3000)})]
    )
    scene.engine.track([Track(key="bea", event="limit_reached", properties={"order": "x" * 200})])
    scene.drain()
    assert parked(scene) == []
    assert scene.spoken() == [("bea", "email")]
    assert scene.value(
        "SELECT reason FROM refusals r JOIN customers c ON c.id = r.customer_id WHERE c.key = 'anna'"
    )


def test_an_enrollment_asked_for_in_a_playbook_nobody_published_is_refused_and_kept(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.execute(
        "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
        " SELECT id, 999999, 'start', created_at, created_at, '{\"playbook\": \"gone\"}' FROM customers"
    )
    scene.drain()
    assert parked(scene) == []
    assert scene.value("SELECT reason FROM refusals") == "not_published"
