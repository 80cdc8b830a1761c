"""A coherent database breaks no invariant, and each way of breaking one is found by its name."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from orchestrator.language.model import Cap
from orchestrator.language.moments import Duration
from orchestrator.store.reports.invariant_queries import INVARIANTS
from orchestrator.store.reports.invariants import check_invariants
from tests.store.world import World

pytestmark = pytest.mark.contract

DAY = Duration(count=1, unit="d")


def coherent(connection: Connection, now: datetime) -> World:
    """Walks of every sort, all in order: live, ended, held out, opted out after the message, erased."""
    world = World(connection, now)
    playbook = world.playbook("upsell")
    live = world.enroll(world.customer("live"), playbook)
    world.message(live, status="planned")
    sent = world.enroll(world.customer("sent"), playbook)
    world.message(sent)
    world.move(sent, "clicked", "rest")
    world.message(sent, status="not_sent", channel="sms")
    held = world.enroll(world.customer("held"), playbook, held_out=True)
    world.message(held, status="held_out")
    out = world.enroll(world.customer("out"), playbook)
    world.message(out)
    world.now = now + timedelta(hours=1)
    world.consent(out.customer_id, granted=False, channel="*", topic="*")
    world.end(out, "opted_out", at=world.now)
    world.now = now
    return world


def broken(connection: Connection) -> set[str]:
    return {violation.invariant for violation in check_invariants(connection)}


def test_a_coherent_database_breaks_nothing(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        coherent(connection, now)
        assert check_invariants(connection, caps=[Cap(at_most=1, within=DAY)]) == []


BREAKS = {
    "live_enrollment_has_a_timer": ["DELETE FROM timers", "UPDATE timers SET visit = visit + 1"],
    "timer_belongs_to_a_live_enrollment": [
        (
            "INSERT INTO timers SELECT customer_id, id, playbook, 'x', 1, entered_at FROM enrollments"
            " WHERE ended_at IS NOT NULL"
        ),
        "INSERT INTO timers VALUES (999, 999, 'upsell', '', 1, now())",
    ],
    "unsettled_message_has_a_dispatch_row": ["DELETE FROM dispatch"],
    "settled_message_has_no_dispatch_row": [
        "INSERT INTO dispatch VALUES (999, 999, 'sandbox', now(), now())"
    ],
    "visit_is_unique": [
        (
            "INSERT INTO journal SELECT customer_id, enrollment_id, seq + 100, at, event, step, visit FROM journal"
            " WHERE event = 'step_entered'"
        ),
    ],
    "message_is_sent_once": [
        "INSERT INTO provider_ids SELECT id || 'p' || n, customer_id, id FROM messages, generate_series(1, 2) AS n",
        (
            "INSERT INTO journal SELECT customer_id, enrollment_id, n, at, 'handed_over', step, visit FROM journal,"
            " generate_series(50, 51) AS n WHERE event = 'started'"
        ),
    ],
    "no_hand_over_after_an_opt_out": ["UPDATE messages SET handed_at = handed_at + interval '2 hours'"],
    "opt_out_cancels_what_is_planned": [
        "UPDATE consent_ledger SET customer_id = (SELECT customer_id FROM messages WHERE status = 'planned')"
    ],
    "nothing_is_said_after_the_end": [
        "UPDATE enrollments SET ended_at = entered_at - interval '1 hour' WHERE ended_at IS NOT NULL",
        "UPDATE messages SET planned_at = planned_at + interval '1 hour'",
    ],
    "journal_is_dense": ["DELETE FROM journal WHERE seq = 1"],
    "journal_gives_the_state": [
        "UPDATE enrollments SET state = state || jsonb_build_object('any_sent', true)"
    ],
    "mirror_columns_agree": ["UPDATE enrollments SET step = 'elsewhere'"],
    "step_belongs_to_the_version": [
        "UPDATE playbooks SET definition = jsonb_build_object('steps', jsonb_build_array())"
    ],
    "promotional_message_has_a_cap_slot": [
        "DELETE FROM cap_slots",
        "UPDATE cap_slots SET shadow = NOT shadow",
    ],
    "cap_slot_belongs_to_what_was_said": [
        (
            "INSERT INTO cap_slots SELECT customer_id, id, planned_at, channel, topic, false FROM messages"
            " WHERE status IN ('planned', 'not_sent')"
        ),
    ],
    "suppression_has_a_reason": ["UPDATE messages SET reason = NULL", "DELETE FROM verdicts"],
    "held_out_is_not_contacted": ["UPDATE messages SET status = 'sent' WHERE held_out"],
    "consents_are_what_the_ledger_says": [
        "DELETE FROM consents",
        "UPDATE consents SET granted = NOT granted",
        "DELETE FROM consent_ledger",
    ],
    "conversion_says_its_arm": [
        "INSERT INTO conversions SELECT customer_id, id, 'e', entered_at, 1, NULL, NOT held_out FROM enrollments"
    ],
    "erased_means_forgotten": [
        'UPDATE customers SET erased_at = now(), attributes = \'{"name": "Eve"}\'',
        "UPDATE customers SET erased_at = now()",
    ],
}


def test_each_invariant_has_a_way_to_be_broken() -> None:
    assert {invariant.name for invariant in INVARIANTS} == set(BREAKS)


def test_every_damage_is_found(engine: Engine, now: datetime) -> None:
    missed = []
    with engine.begin() as connection:
        coherent(connection, now)
        for name, damages in BREAKS.items():
            for damage in damages:
                with connection.begin_nested() as attempt:
                    assert connection.execute(text(damage)).rowcount > 0, damage
                    if name not in broken(connection):
                        missed.append((name, damage))
                    attempt.rollback()
    assert missed == []


def test_a_later_and_narrower_grant_opens_the_way_again(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        playbook = world.playbook("upsell")
        narrow, broad = world.customer("narrow"), world.customer("broad")
        for customer in (narrow, broad):
            world.consent(customer, granted=False, channel="email", topic="*")
        world.now = now + timedelta(hours=1)
        world.consent(narrow, granted=True, channel="email", topic="upsell")
        world.consent(broad, granted=True, channel="*", topic="*")
        world.now = now + timedelta(hours=2)
        for customer in (narrow, broad):
            world.message(world.enroll(customer, playbook))
        found = check_invariants(connection)
    assert [(v.invariant, v.customer_id) for v in found] == [("no_hand_over_after_an_opt_out", broad)]


@pytest.mark.parametrize(
    ("gap", "kept"),
    [
        (timedelta(days=1), True),
        (timedelta(days=1) - timedelta(microseconds=1), False),
        (timedelta(0), False),
    ],
)
def test_a_cap_counts_every_rolling_window(engine: Engine, now: datetime, gap: timedelta, kept: bool) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        customer = world.customer("a")
        for name, at in (("upsell", now), ("win_back", now + gap)):
            world.now = at
            world.message(world.enroll(customer, world.playbook(name)))
        found = check_invariants(connection, caps=[Cap(at_most=1, within=DAY)])
        assert [v.invariant for v in found] == ([] if kept else ["cap_is_kept"] * len(found))
        assert bool(found) is not kept
        assert check_invariants(connection, caps=[Cap(at_most=1, within=DAY, channel="sms")]) == []
        assert check_invariants(connection, caps=[Cap(at_most=2, within=DAY)]) == []


def test_a_shadow_place_keeps_nobody_from_the_real_one(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        customer = world.customer("a")
        world.message(world.enroll(customer, world.playbook("upsell")))
        world.message(world.enroll(customer, world.playbook("events"), held_out=True), status="held_out")
        assert check_invariants(connection, caps=[Cap(at_most=1, within=DAY)]) == []
