"""The funnel of a playbook version, counted from what really happened."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from orchestrator.errors import NotFound
from orchestrator.store.reports.funnel import funnel, funnels
from orchestrator.store.sql import tables as t
from tests.store.world import World
from tests.support.statements import counted

HOUR = timedelta(hours=1)


def test_a_funnel_tells_steps_arms_messages_and_reasons(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        old, new = world.playbook("upsell"), world.playbook("upsell", version=2)
        world.enroll(world.customer("old"), old)
        for number in range(6):
            walk = world.enroll(world.customer(f"c{number}"), new)
            world.change(walk, "sent", any_sent=True, variants={"price": "full" if number % 2 else "less"})
            world.message(walk, responses={"clicked": now.isoformat()} if number < 2 else {})
            if number < 2:
                world.move(walk, "clicked", "watch", at=now + HOUR)
                world.convert(walk, value=10)
                world.end(walk, "converted", at=now + 48 * HOUR)
            elif number < 4:
                world.move(walk, "no_response", "rest", at=now + HOUR)
        quiet = world.enroll(world.customer("quiet"), new)
        message = world.message(quiet, status="not_sent", channel="sms")
        world.verdict(quiet, message, "frequency_cap", "defer", count=4, why="3 messages in 7d")
        world.verdict(quiet, message, "opted_out", "drop", why="the customer opted out")
        held = world.enroll(world.customer("held"), new, held_out=True)
        world.message(held, status="held_out")
        world.row(
            t.refusals,
            customer_id=quiet.customer_id,
            playbook="upsell",
            reason="cooldown",
            trigger="product",
            at=now,
        )
        world.now = now + HOUR
        world.consent(quiet.customer_id, granted=False)

        found = funnel(connection, "upsell")

        assert (found.version, found.entered, found.live) == (2, 8, 6)
        assert (found.contacted.entered, found.contacted.converted, found.contacted.value) == (7, 2, 20)
        assert (found.held_out.entered, found.held_out.converted, found.contacted.any_sent) == (1, 0, 6)
        assert found.lift.difference == pytest.approx(2 / 7)
        assert not found.lift.is_proven
        steps = {step.step: step for step in found.steps}
        assert [step.step for step in found.steps] == ["banner", "email", "watch", "rest"]
        assert (steps["banner"].visits, steps["banner"].live) == (8, 4)
        assert steps["banner"].outcomes == {"clicked": 2, "no_response": 2}
        assert steps["watch"].outcomes == {"converted": 2}
        assert (steps["email"].visits, steps["email"].outcomes) == (0, {})
        assert (steps["rest"].visits, steps["rest"].live, steps["rest"].outcomes) == (2, 2, {})
        assert {(v.name, v.arm.entered, v.arm.converted) for v in found.variants} == {
            ("full", 3, 1),
            ("less", 3, 1),
        }
        assert {(m.channel, m.status): (m.messages, m.clicked) for m in found.messages} == {
            ("email", "sent"): (6, 2), ("email", "held_out"): (1, 0), ("sms", "not_sent"): (1, 0),
        }  # fmt: skip
        assert {(h.policy, h.verdict, h.messages, h.times) for h in found.held_back} == {
            ("frequency_cap", "defer", 1, 4), ("opted_out", "drop", 1, 1),
        }  # fmt: skip
        assert (found.ended, found.refused, found.opted_out) == ({"converted": 2}, {"cooldown": 1}, 1)
        assert funnel(connection, "upsell", 1).entered == 1
        assert [each.version for each in funnels(connection)] == [2]


def test_a_funnel_is_plain_json(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        World(connection, now).playbook("upsell")
        plain = funnel(connection, "upsell").to_plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["contacted"]["rate"] is None
    assert plain["held_out"]["interval"] == {"low": 0.0, "high": 1.0}


def test_it_takes_as_many_statements_for_many_walks(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        playbook = world.playbook("upsell")
        for number in range(20):
            world.move(world.enroll(world.customer(f"c{number}"), playbook), "clicked", "watch")
    with counted(engine) as statements, engine.connect() as connection:
        assert funnel(connection, "upsell").entered == 20
    assert len(statements) <= 11


def test_an_unknown_playbook_or_version_says_so(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        World(connection, now).playbook("upsell")
        with pytest.raises(NotFound, match="none"):
            funnel(connection, "none")
        with pytest.raises(NotFound, match="version 9"):
            funnel(connection, "upsell", 9)
