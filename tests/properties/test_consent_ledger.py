"""Laws of consent: whatever is said, in whatever order it arrives, the ledger alone decides, and a no always wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, text

from orchestrator.core.consent.scope import IMPLIED, TRACKING, covers, in_force
from orchestrator.records.consent import NewConsentRow
from orchestrator.store import consents
from orchestrator.store.consents import PostgresConsents
from orchestrator.store.reports.invariants import check_invariants
from orchestrator.store.sql import tables as t
from tests.support.effort import examples

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = ("email", "sms")
TOPICS = ("upsell", "win_back", TRACKING)
numbers = count(1)

grants = st.fixed_dictionaries({
    "action": st.sampled_from(["granted", "granted", "confirmed"]),
    "channel": st.sampled_from(["*", *CHANNELS]),
    "topic": st.sampled_from(["*", *TOPICS]),
    "basis": st.sampled_from(["express", "express_written", "implied_purchase", "legitimate_interest"]),
    "lasts": st.sampled_from([None, 1, 3, 8]),
    "late": st.sampled_from([0, 0, 2, 5]),
})  # fmt: skip
revokes = st.fixed_dictionaries({
    "action": st.just("revoked"),
    "channel": st.sampled_from(["*", *CHANNELS]),
    "topic": st.sampled_from(["*", *TOPICS]),
    "basis": st.just("express"),
    "lasts": st.none(),
    "late": st.sampled_from([0, 0, 2, 5]),
})  # fmt: skip
sweeps = st.just({"action": "sweep"})
# Each step is (hours that pass before it, what happens). An import is a fact that is recorded late.
stories = st.lists(st.tuples(st.integers(0, 2), st.one_of(grants, revokes, sweeps)), max_size=14)


def ledger(connection: Connection) -> PostgresConsents:
    return PostgresConsents(connection=connection, hash_key=str)


class Oracle:
    """The rule told a second time, over plain rows: no stored state, no folding."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def says(self, channel: str, topic: str, now: datetime) -> str:
        about = [row for row in self.rows if covers(row["channel"], row["topic"], channel, topic)]
        alive = [
            row
            for row in about
            if row["action"] != "revoked" and (row["expires_at"] is None or row["expires_at"] > now)
        ]
        for no in (row for row in about if row["action"] == "revoked"):
            taken_back = any(
                yes["basis"] not in IMPLIED
                and yes["occurred_at"] > no["occurred_at"]
                and no["channel"] in ("*", yes["channel"])
                and no["topic"] in ("*", yes["topic"])
                for yes in alive
            )
            if not taken_back:
                return "no"
        return "yes" if alive else "nothing"


@pytest.fixture
def customer(engine: Engine) -> int:
    with engine.begin() as connection:
        made: int = connection.execute(
            insert(t.customers)
            .values(key="anna", created_at=START, updated_at=START)
            .returning(t.customers.c.id)
        ).scalar_one()
    return made


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=stories)
def test_the_ledger_decides_and_a_no_wins(
    engine: Engine, customer: int, story: list[tuple[int, dict[str, Any]]]
) -> None:
    oracle, now = Oracle(), START
    with engine.connect() as connection:
        for hours, step in story:
            now += timedelta(hours=hours)
            if step["action"] == "sweep":
                ledger(connection).expire(now, limit=100)
            else:
                row = _row(customer, step, now)
                oracle.rows.append(row)
                ledger(connection).append([NewConsentRow(**row)])
            _agree(connection, customer, oracle, now)
        now += timedelta(hours=9)  # everything that ends has ended by now, swept or not
        _agree(connection, customer, oracle, now)
        ledger(connection).expire(now, limit=100)
        _agree(connection, customer, oracle, now)
        connection.rollback()


def _agree(connection: Connection, customer: int, oracle: Oracle, now: datetime) -> None:
    """The state is what the ledger replays to; and what is in force is what the rule says, a no before all else."""
    kept = _state(connection)
    connection.execute(text("DELETE FROM consents"))
    consents.rebuild(connection, {customer})
    assert _state(connection) == kept
    assert check_invariants(connection) == []

    said = ledger(connection).said(customer, now)
    for channel in CHANNELS:
        for topic in TOPICS:
            row = in_force(said, channel, topic, now)
            found = "nothing" if row is None else "yes" if row.granted else "no"
            expected = oracle.says(channel, topic, now)
            if expected == "no" or found == "no":
                assert found == expected, (channel, topic)
            elif (
                found == "yes"
            ):  # never more than was said; less only where a wider yes outlives a narrower one
                assert expected == "yes", (channel, topic)


def _state(connection: Connection) -> list[Any]:
    return list(connection.execute(text("SELECT * FROM consents ORDER BY channel, topic")))


def _row(customer: int, step: dict[str, Any], now: datetime) -> dict[str, Any]:
    said_at = now - timedelta(hours=step["late"])
    return {
        "customer_id": customer, "source_id": f"s{next(numbers)}", "action": step["action"],
        "channel": step["channel"], "topic": step["topic"], "basis": step["basis"], "method": "api",
        "source": "tests", "actor": "customer", "occurred_at": said_at, "recorded_at": now,
        "expires_at": said_at + timedelta(hours=step["lasts"]) if step["lasts"] else None,
    }  # fmt: skip
