"""start_playbook: once per key, a reason for each refusal, and whoever is unknown is made."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.errors import InputError, NotFound, StartRefused
from orchestrator.records.intake import Track
from tests.support.engine import NOON, Scene, one_message, playbook

OFFER = one_message("offer")
WITH_CONTEXT = playbook(
    "checkout",
    "  say:  {send: {channel: email, template: note}, wait: 2d, then: done}\n  done: {end: finished}\n",
    more="enter: {because: your cart is full, reentry: {per: order, after: 1d}}\n"
    "context: {order: text, price: money, due: date}\n",
)


def refusal(scene: Scene, *arguments: str, **more: Any) -> str:
    with pytest.raises(StartRefused) as refused:
        scene.start(*arguments, **more)
    return refused.value.reason


def test_a_start_is_a_walk_in_its_first_step(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    scene.person()
    made = scene.start("anna", "offer")
    assert (made.customer, made.playbook, made.version, made.step, made.phase) == (
        "anna",
        "offer",
        1,
        "say",
        "unsent",
    )
    assert (made.created, made.entered_at, made.because) == (True, NOON, "your team has grown")


def test_the_same_key_gives_the_same_enrollment_whatever_became_of_it(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    scene.person()
    first = scene.start("anna", "offer", key="order 7")
    again = scene.start("anna", "offer", key="order 7")
    assert (again.id, again.created) == (first.id, False)
    scene.let_pass(days=30)
    late = scene.start("anna", "offer", key="order 7")
    assert (late.id, late.created, late.end_status) == (first.id, False, "finished")
    assert scene.value("SELECT count(*) FROM enrollments") == 1


def test_a_key_belongs_to_one_customer_and_one_playbook(scene: Scene) -> None:
    scene.publish_playbooks(OFFER, one_message("other"))
    scene.person()
    scene.person("bea")
    ids = {scene.start(who, what, key="k").id for who in ("anna", "bea") for what in ("offer", "other")}
    assert len(ids) == 4


def test_a_refused_key_may_succeed_later(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    scene.person()
    scene.engine.snooze("anna", NOON + timedelta(days=1))
    assert refusal(scene, "anna", "offer", key="k") == "cooldown"
    scene.skip(days=1, seconds=1)
    assert scene.start("anna", "offer", key="k").created


def test_an_unknown_customer_is_made(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    assert scene.start("somebody new", "offer").customer == "somebody new"
    scene.drain()
    assert scene.messages("somebody new") == [("say", "email", "not_sent")]
    assert scene.reasons("somebody new") == ["reachable"]


def test_an_unknown_playbook_is_not_found_and_makes_nobody(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    with pytest.raises(NotFound):
        scene.start("somebody new", "nothing")
    assert scene.value("SELECT count(*) FROM customers") == 0


def test_each_refusal_says_why_and_is_kept(scene: Scene) -> None:
    scene.publish_playbooks(OFFER, one_message("never", more="enter: {because: x, reentry: never}\n"))
    scene.person()
    scene.start("anna", "offer")
    assert refusal(scene, "anna", "offer") == "already_live"
    scene.start("anna", "never")
    scene.let_pass(days=30)
    assert refusal(scene, "anna", "never") == "reentry"
    scene.engine.snooze("anna", scene.clock.now + timedelta(days=1))
    assert refusal(scene, "anna", "offer") == "cooldown"
    scene.opted_out("anna")
    assert refusal(scene, "anna", "offer") == "opted_out"
    scene.execute("INSERT INTO playbook_states (name, paused_at) VALUES ('offer', now())")
    assert refusal(scene, "anna", "offer") == "paused"
    kept = [row.reason for row in scene.rows("SELECT reason FROM refusals ORDER BY id")]
    assert kept == ["already_live", "reentry", "cooldown", "opted_out", "paused"]


def test_the_erased_are_refused(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    scene.person()
    scene.engine.erase("anna")
    assert refusal(scene, "anna", "offer") == "erased"


def test_context_is_checked_as_a_whole(scene: Scene) -> None:
    scene.publish_playbooks(WITH_CONTEXT)
    scene.person()
    with pytest.raises(StartRefused) as refused:
        scene.start("anna", "checkout", context={"order": 7, "colour": "red"})
    assert refused.value.reason == "context"
    for outcome in ("'colour'", "'order' should be text", "'price'", "'due'"):
        assert outcome in refused.value.detail


def test_python_values_are_good_context_and_survive_storage(scene: Scene) -> None:
    scene.publish_playbooks(WITH_CONTEXT)
    scene.person()
    context = {"order": "7", "price": Decimal("19.90"), "due": date(2026, 4, 1)}
    scene.start("anna", "checkout", context=context)
    stored = scene.value("SELECT context FROM enrollments")
    assert (stored["order"], float(stored["price"]), stored["due"]) == ("7", 19.9, "2026-04-01")
    scene.let_pass(days=5)
    assert scene.path("anna") == ["say:no_response", "finished"]


def test_one_walk_for_each_value_of_per(scene: Scene) -> None:
    scene.publish_playbooks(WITH_CONTEXT)
    scene.person()
    context = {"price": 5, "due": "2026-04-01"}
    scene.start("anna", "checkout", context={**context, "order": "7"})
    scene.start("anna", "checkout", context={**context, "order": "8"})
    assert refusal(scene, "anna", "checkout", context={**context, "order": "7"}) == "already_live"


@pytest.mark.parametrize("bad", ["", "   ", "a\x00b", "x" * 201])
def test_a_bad_customer_key_is_a_callers_mistake(scene: Scene, bad: str) -> None:
    scene.publish_playbooks(OFFER)
    with pytest.raises(InputError) as wrong:
        scene.start(bad, "offer")
    assert wrong.value.path == "$.customer"


@pytest.mark.parametrize("bad", ["", "a\x00b", "x" * 201])
def test_a_bad_idempotency_key_is_a_callers_mistake(scene: Scene, bad: str) -> None:
    scene.publish_playbooks(OFFER)
    with pytest.raises(InputError) as wrong:
        scene.start("anna", "offer", key=bad)
    assert wrong.value.path == "$.key"


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "x" * 100_000])
def test_context_that_cannot_be_stored_is_a_callers_mistake(scene: Scene, bad: str) -> None:
    scene.publish_playbooks(WITH_CONTEXT)
    with pytest.raises(InputError) as wrong:
        scene.start("anna", "checkout", context={"order": bad, "price": 5, "due": "2026-04-01"})
    assert wrong.value.path == "$.context"


def test_two_threads_with_one_key_make_one_walk(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    barrier = threading.Barrier(4)

    def begin(_: int) -> tuple[str, bool]:
        barrier.wait(10)
        made = scene.start("newcomer", "offer", key="k")
        return made.id, made.created

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(begin, range(4)))
    assert len({one for one, _ in answers}) == 1
    assert sorted(created for _, created in answers) == [False, False, False, True]
    assert scene.value("SELECT count(*) FROM enrollments") == 1


def test_without_a_key_only_one_of_two_threads_gets_the_walk(scene: Scene) -> None:
    scene.publish_playbooks(OFFER)
    scene.person()
    barrier = threading.Barrier(2)

    def begin(_: int) -> str:
        barrier.wait(10)
        try:
            return scene.start("anna", "offer").id
        except StartRefused as refused:
            return refused.reason

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(begin, range(2)))
    assert answers.count("already_live") == 1
    assert scene.value("SELECT count(*) FROM timers") == 1


def test_equal_refusals_are_one_row_that_counts(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("offer", more="enter: {when: limit_reached, because: x, reentry: {after: 90d}}\n"),
        one_message("other"),
    )
    scene.people(2)
    for _ in range(4):
        scene.engine.track([Track(key=key, event="limit_reached") for key in ("p000", "p001", "p000")])
        scene.drain()
        scene.skip(hours=1)
    kept = scene.rows(
        "SELECT c.key, r.playbook, r.trigger, r.reason, r.at, r.last_at, r.count"
        " FROM refusals r JOIN customers c ON c.id = r.customer_id ORDER BY 1, 4"
    )
    assert [(row.key, row.reason, row._mapping["count"]) for row in kept] == [
        ("p000", "already_live", 7),
        ("p001", "already_live", 3),
    ]
    assert (kept[0].last_at - kept[0].at).total_seconds() == 3 * 3600
    with pytest.raises(StartRefused):
        scene.start("p000", "offer")
    assert scene.value("SELECT count(*) FROM refusals") == 3, "another caller is another row"
    report = scene.engine.export("p000")["timeline"]
    (told,) = [
        one for one in report if one["kind"] == "refusal" and one["data"]["trigger"] == "limit_reached"
    ]
    assert told["data"]["count"] == 7
