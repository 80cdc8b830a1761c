"""The engine about itself: parked rows, the sandbox's inbox, and how far behind it is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from orchestrator.clock import Instants
from orchestrator.records.enrollment import Parked
from orchestrator.store import parked
from orchestrator.store.monitoring.read import health
from orchestrator.store.sql import tables as t
from tests.store.world import World
from tests.support.statements import counted

pytestmark = pytest.mark.contract

HOUR = timedelta(hours=1)


def test_what_is_parked_keeps_its_first_reason_until_it_is_released(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        ann = World(connection, now).customer("ann")
        first = Parked(
            customer_id=ann, enrollment_id=7, reason="function_missing", detail="make_coupon\x00", at=now
        )
        whole = Parked(
            customer_id=ann, enrollment_id=parked.WHOLE_CUSTOMER, reason="poison", detail="x" * 9000, at=now
        )
        parked.park(connection, [first, whole])
        parked.park(
            connection, [Parked(customer_id=ann, enrollment_id=7, reason="other", detail="", at=now + HOUR)]
        )
        listed = {item.enrollment_id: item for item in parked.listed(connection)}
        assert listed[7].reason == "function_missing"
        assert listed[7].customer_key == "ann"
        assert len(listed[0].detail) == 2000
        assert parked.counted(connection) == {"function_missing": 1, "poison": 1}
        assert parked.release(connection, [(ann, 7), (ann, 8)]) == 1
        assert [item.enrollment_id for item in parked.listed(connection, customer_id=ann)] == [0]


def test_an_idle_engine_is_not_behind(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        found = health(connection, Instants(business=now, machine=now))
    assert found.lag == timedelta(0)
    assert {lane.due for lane in found.lanes} == {0}
    assert (found.live, found.planned, found.uncertain, found.clock_rate) == (0, 0, 0, 1)


def test_lag_is_the_age_of_the_oldest_due_thing(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        playbook = world.playbook("upsell")
        walk = world.enroll(world.customer("ann"), playbook)
        world.message(walk, status="uncertain")
        other = world.enroll(world.customer("bob"), playbook)
        world.message(other, status="handing_over")
        stuck = world.enroll(world.customer("eve"), playbook)
        connection.execute(t.timers.update().values(due_at=now - HOUR))
        connection.execute(
            t.timers.update().where(t.timers.c.enrollment_id == stuck.id).values(due_at=now - 50 * HOUR)
        )
        parked.park(
            connection,
            [
                Parked(
                    customer_id=stuck.customer_id, enrollment_id=stuck.id, reason="poison", detail="", at=now
                )
            ],
        )
        world.row(
            t.inbox, customer_id=1, id=1, kind="signal", occurred_at=now, received_at=now - 2 * HOUR, data={}
        )
        poisoned = world.customer("poisoned")
        world.row(t.parked, customer_id=poisoned, enrollment_id=0, reason="poison", detail="", at=now)
        long_ago = now - 99 * HOUR
        world.row(
            t.inbox, customer_id=poisoned, id=0, kind="signal", occurred_at=now, received_at=long_ago, data={}
        )
        world.row(
            t.dispatch, customer_id=poisoned, message_id=1, provider="p", due_at=long_ago, free_at=long_ago
        )
        with counted(engine) as statements:
            found = health(connection, Instants(business=now, machine=now))
    assert len(statements) < 15
    lags = {lane.name: lane.lag for lane in found.lanes if lane.lag}
    assert lags == {"timers": HOUR, "signals": 2 * HOUR}
    assert found.lag == 2 * HOUR
    assert (found.uncertain, found.lapsed, found.parked) == (1, 1, {"poison": 2})
    assert found.live == 3
