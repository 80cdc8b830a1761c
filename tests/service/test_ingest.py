"""What is told to the engine: each fact once, good ones kept beside bad ones, accounts reach their people."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orchestrator.errors import InputError, NotFound
from orchestrator.ids import MESSAGE, public_id
from orchestrator.records.intake import Identify, Track
from tests.support.engine import NOON, Scene, one_message, playbook

ON_LIMIT = playbook(
    "limits",
    "  say:  {send: {channel: email, template: note}, wait: 2d, then: done}\n  done: {end: finished}\n",
    more="enter: {when: limit_reached, if: {plan: starter, because: you are growing}, reentry: {after: 1h}}\n",
)
ACCOUNT_GOAL = playbook(
    "offer",
    "  say:  {send: {channel: email, template: note}, wait: 9d, then: done}\n  done: {end: finished}\n",
    more="goal: {event: plan_upgraded, by: account, within: 30d, value: mrr_delta}\n",
)


def test_good_items_are_kept_beside_bad_ones(scene: Scene) -> None:
    report = scene.engine.identify(
        [
            Identify(key="anna", traits={"email": "anna@shop.example"}),
            Identify(key="", traits={}),
            Identify(key="bea", traits={"email": "no address"}),
            Identify(key="cleo", traits={"phone": "12"}),
            Identify(key="dora", traits={"timezone": "Mars/Olympus"}),
            Identify(key="emma", traits={"note": "a\x00b"}),
            Identify(key="fay", traits={"note": "x" * 40_000}),
            Identify(key="gina", traits={"note": "\ud800"}),
            Identify(key="hana", traits={"note": float("nan")}),
            Identify(key="ida", traits={}, source_id="a\x00b"),
            Identify(key="jana", traits={}, occurred_at=datetime(2026, 3, 1)),  # noqa: DTZ001 - a caller's mistake
            Identify(key="kim", traits={"note": "backslash \\u0000 is only text"}),
        ]
    )
    assert (report.taken, report.repeated) == (2, 0)
    assert [(one.index, one.path) for one in report.refused] == [
        (1, "$.key"),
        (2, "$.traits.email"),
        (3, "$.traits.phone"),
        (4, "$.traits.timezone"),
        (5, "$.traits"),
        (6, "$.traits"),
        (7, "$.traits"),
        (8, "$.traits"),
        (9, "$.source_id"),
        (10, "$.occurred_at"),
    ]
    scene.drain()
    assert {row.key for row in scene.rows("SELECT key FROM customers")} == {"anna", "kim"}


def test_bad_signals_do_not_cost_the_good_ones(scene: Scene) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    report = scene.engine.track(
        [
            Track(key="anna", event="limit_reached"),
            Track(key="anna", event=""),
            Track(key="anna", event="x" * 101),
            Track(key="anna", event="two\nlines"),
            Track(key="anna", event="limit_reached", properties={"order": "\x00"}),
            Track(key="anna", event="limit_reached", properties={"order": object()}),
            Track(key="anna", event="limit_reached", properties={"order": deep}),
            Track(key="anna\x00", event="limit_reached"),
            Track(key="anna", event="limit_reached", source_id="\udfff"),
        ]
    )
    assert report.taken == 1
    assert [one.index for one in report.refused] == [1, 2, 3, 4, 5, 6, 7, 8]
    scene.drain()
    assert scene.value("SELECT count(*) FROM signals") == 1


def test_nothing_good_at_all_is_no_error(scene: Scene) -> None:
    assert scene.engine.track([Track(key="", event="x")]).taken == 0
    assert scene.engine.track([]).refused == ()
    assert scene.value("SELECT count(*) FROM customers") == 0


def test_a_repeated_source_counts_once(scene: Scene) -> None:
    once = Track(key="anna", event="limit_reached", source_id="s1")
    report = scene.engine.track([once, once])
    assert (report.taken, report.repeated) == (1, 1)
    scene.drain()
    report = scene.engine.track([once, Track(key="bea", event="limit_reached", source_id="s1")])
    assert (report.taken, report.repeated) == (1, 1), "a source id is the customer's own"
    scene.drain()
    assert scene.value("SELECT count(*) FROM signals") == 2


def test_one_source_id_may_name_a_profile_and_a_signal(scene: Scene) -> None:
    scene.engine.identify([Identify(key="anna", traits={"plan": "starter"}, source_id="s1")])
    assert scene.engine.track([Track(key="anna", event="limit_reached", source_id="s1")]).taken == 1


def test_a_signal_that_starts_sees_the_profile_told_before_it(scene: Scene) -> None:
    scene.publish_playbooks(ON_LIMIT)
    scene.engine.track([Track(key="bea", event="limit_reached")])
    scene.engine.identify([Identify(key="bea", traits={"plan": "starter"})])
    scene.engine.identify([Identify(key="anna", traits={"plan": "starter", "email": "a@shop.example"})])
    scene.engine.track([Track(key="anna", event="limit_reached")])
    scene.drain()
    assert scene.messages("anna") == [("say", "email", "sent")]
    assert scene.messages("bea") == [], "her plan was not known yet when it happened"


def test_a_start_applies_what_was_told_before_it(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.engine.identify([Identify(key="anna", traits={"email": "a@shop.example"})])
    scene.start("anna", "offer")
    scene.drain()
    assert scene.messages() == [("say", "email", "sent")]


def test_a_trait_of_none_removes_it(scene: Scene) -> None:
    scene.person(plan="starter", seats=3)
    scene.engine.identify([Identify(key="anna", traits={"plan": None, "email": None})])
    scene.drain()
    stored = scene.value("SELECT attributes FROM customers WHERE key = 'anna'")
    assert "plan" not in stored
    assert stored["seats"] == 3
    assert scene.rows("SELECT channel FROM contact_points") == [("sms",)]


def test_signals_of_an_account_reach_every_member_and_no_stranger(scene: Scene) -> None:
    scene.publish_playbooks(ON_LIMIT)
    for key in ("anna", "bea"):
        scene.person(key, account="acme", plan="starter")
    scene.person("cleo", plan="starter")
    report = scene.engine.track([Track(key="acme", event="limit_reached", account=True, source_id="s1")])
    assert report.taken == 2
    assert (
        scene.engine.track([Track(key="acme", event="limit_reached", account=True, source_id="s1")]).taken
        == 0
    )
    assert scene.engine.track([Track(key="nobody", event="limit_reached", account=True)]).taken == 0
    scene.drain()
    assert sorted(scene.spoken()) == [("anna", "email"), ("bea", "email")]


def test_account_traits_are_seen_by_members(scene: Scene) -> None:
    steps = (
        "  ask:  {choose: [{if: {account.tier: gold}, go: gold}, {go: done}]}\n"
        "  gold: {end: gold}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(playbook("tiers", steps))
    scene.person(account="acme")
    scene.engine.identify([Identify(key="acme", traits={"tier": "gold", "old": None}, account=True)])
    assert scene.start("anna", "tiers").end_status == "gold"


def test_a_goal_of_the_account_counts_for_colleagues_too(scene: Scene) -> None:
    scene.publish_playbooks(ACCOUNT_GOAL, ON_LIMIT)
    for key in ("anna", "bea"):
        scene.person(key, account="acme", plan="starter")
        scene.start(key, "offer")
    scene.let_pass(hours=1)
    scene.engine.track([Track(key="bea", event="plan_upgraded", properties={"mrr_delta": 30})])
    scene.let_pass(hours=1)
    assert scene.path("anna") == ["converted"]
    assert scene.path("bea") == ["converted"]
    rows = scene.rows("SELECT value, message_id IS NOT NULL AS any_sent FROM conversions")
    assert [(row.value, row.any_sent) for row in rows] == [(30, True), (30, True)]


def test_what_happened_later_than_now_happened_now(scene: Scene) -> None:
    scene.engine.track([Track(key="anna", event="limit_reached", occurred_at=NOON + timedelta(days=3))])
    scene.drain()
    assert scene.value("SELECT occurred_at FROM signals") == NOON


def test_hundreds_of_signals_of_one_person_are_all_taken(scene: Scene) -> None:
    scene.engine.track([Track(key="anna", event="session_started") for _ in range(2500)])
    scene.drain()
    assert scene.value("SELECT count(*) FROM signals") == 2500
    assert scene.value("SELECT count(*) FROM inbox") == 0


def test_an_answer_to_nothing_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        scene.engine.respond(public_id(MESSAGE, 7, 7), "clicked")
    with pytest.raises(InputError):
        scene.engine.respond("rubbish", "clicked")


def test_an_answer_is_checked_and_heard_once(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.start("anna", "offer")
    scene.drain()
    for bad in (
        {"outcome": "sent"},
        {"outcome": "clicked", "comment": "\x00"},
        {"outcome": "clicked", "source_id": "\x00"},
    ):
        with pytest.raises(InputError):
            scene.respond("anna", **bad)
    assert scene.respond("anna", "clicked", source_id="s1") is True
    assert scene.respond("anna", "clicked", source_id="s1") is False
    assert scene.respond("anna", "clicked", detail="plans") is True
    assert scene.respond("anna", "clicked", detail="plans") is False


def test_the_erased_do_not_come_back_under_their_key(scene: Scene) -> None:
    scene.person()
    scene.engine.erase("anna")
    report = scene.engine.identify([Identify(key="anna", traits={"email": "new@shop.example"})])
    assert (report.taken, [one.path for one in report.refused]) == (0, ["$.key"])
    report = scene.engine.track(
        [Track(key="anna", event="limit_reached"), Track(key="bea", event="limit_reached")]
    )
    assert (report.taken, [(one.index, one.path) for one in report.refused]) == (1, [(0, "$.key")])


def test_the_erased_do_not_come_back_by_their_address_under_another_key(scene: Scene) -> None:
    scene.person()
    scene.engine.erase("anna")
    report = scene.engine.identify(
        [Identify(key="anna again", traits={"email": "ANNA@shop.example", "plan": "starter"})]
    )
    assert [one.path for one in report.refused] == ["$.traits.email"]
    scene.drain()
    assert scene.value("SELECT count(*) FROM contact_points") == 0
    assert scene.value("SELECT attributes ->> 'plan' FROM customers WHERE key = 'anna again'") == "starter"


def test_an_upload_of_hundreds_is_applied_to_its_end_in_the_order_it_came(scene: Scene) -> None:
    """Only its first row lets its customer be found; what one turn leaves is found by the first of it."""
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    orders = [str(number) for number in range(450)]
    scene.engine.track(
        [Track(key="anna", event="limit_reached", properties={"order": order}) for order in orders]
    )
    assert [scene.engine.advance().customers for _ in range(4)] == [1, 1, 1, 0]
    heard = scene.rows(
        "SELECT properties->>'order' AS one FROM signals WHERE name = 'limit_reached' ORDER BY id"
    )
    assert [row.one for row in heard] == orders
