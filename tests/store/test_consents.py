"""The ledger is appended to once per fact, and the present state is always its fold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, select, text

from orchestrator.records.consent import ConsentAction, NewConsentRow
from orchestrator.store import consents
from orchestrator.store.consents import PostgresConsents
from orchestrator.store.reports.invariants import check_invariants
from orchestrator.store.sql import tables as t
from tests.support.effort import examples
from tests.support.statements import counted

pytestmark = pytest.mark.contract


def row(now: datetime, source_id: str, action: ConsentAction = "revoked", **more: Any) -> NewConsentRow:
    plain = NewConsentRow(
        customer_id=1,
        source_id=source_id,
        action=action,
        channel="email",
        topic="upsell",
        basis="express",
        method="web_form",
        source="page",
        actor="customer",
        occurred_at=now,
        recorded_at=now,
    )
    return replace(plain, **more)


def ledger(connection: Connection) -> PostgresConsents:
    return PostgresConsents(connection=connection, hash_key=lambda address: f"hash of {address}")


def state(engine: Engine, customer_id: int = 1) -> dict[tuple[str, str], bool]:
    with engine.connect() as connection:
        return {(row.channel, row.topic): row.granted for row in consents.present(connection, customer_id)}


def test_any_number_of_facts_take_two_statements(engine: Engine, now: datetime) -> None:
    rows = [row(now, f"s{n}", customer_id=n % 50, topic=f"t{n % 3}") for n in range(200)]
    with counted(engine) as statements, engine.begin() as connection:
        assert len(ledger(connection).append(rows)) == 200
    assert len(statements) == 2


def test_a_fact_counts_once(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        assert ledger(connection).append([row(now, "s1")]) == {(1, "s1")}
        assert ledger(connection).append([row(now, "s1", "granted")]) == set()
        assert connection.execute(select(t.consent_ledger.c.action)).scalars().all() == ["revoked"]
    assert state(engine) == {("email", "upsell"): False}


def test_a_row_for_everything_stands_beside_the_narrow_ones(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        ledger(connection).append([row(now, "s1", "granted"), row(now, "s2", channel="*", topic="*")])
    assert state(engine) == {("email", "upsell"): True, ("*", "*"): False}


def test_a_late_report_of_an_old_opt_out_does_not_undo_a_newer_yes(engine: Engine, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with engine.begin() as connection:
        ledger(connection).append([row(later, "yes", "granted")])
        ledger(connection).append([row(now, "old no", recorded_at=later + timedelta(hours=1))])
    assert state(engine) == {("email", "upsell"): True}


def test_a_yes_from_the_future_does_not_outlive_a_no(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        ledger(connection).append(
            [row(now + timedelta(days=99), "clock gone wrong", "granted", recorded_at=now)]
        )
        ledger(connection).append([row(now + timedelta(minutes=1), "no")])
    assert state(engine) == {("email", "upsell"): False}


def test_at_the_same_instant_the_no_wins(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        ledger(connection).append([row(now, "no"), row(now, "yes", "granted")])
    assert state(engine) == {("email", "upsell"): False}


def test_an_expired_grant_leaves_nothing(engine: Engine, now: datetime) -> None:
    later = now + timedelta(days=1)
    with engine.begin() as connection:
        ledger(connection).append([row(now, "yes", "granted", expires_at=later)])
        ledger(connection).append([row(later, "over", "expired")])
    assert state(engine) == {}


def test_what_expires_is_a_grant_and_never_a_no(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        ledger(connection).append([row(now, "no")])
        ledger(connection).append([row(now + timedelta(days=1), "over", "expired")])
    assert state(engine) == {("email", "upsell"): False}


def test_a_purchase_does_not_take_back_a_no(engine: Engine, now: datetime) -> None:
    later = now + timedelta(days=1)
    with engine.begin() as connection:
        ledger(connection).append([row(now, "no")])
        ledger(connection).append([row(later, "bought", "granted", basis="implied_purchase")])
    assert state(engine) == {("email", "upsell"): False}


def test_a_purchase_does_not_put_an_end_to_an_express_yes(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        ledger(connection).append([row(now, "yes", "granted", basis="express")])
        bought = row(
            now + timedelta(days=1),
            "bought",
            "granted",
            basis="implied_purchase",
            expires_at=now + timedelta(days=2),
        )
        ledger(connection).append([bought])
        assert ledger(connection).expire(now + timedelta(days=3), limit=10) == 0
    assert state(engine) == {("email", "upsell"): True}


def test_before_and_after_the_sweep_an_ended_yes_gives_way_to_the_no_before_it(
    engine: Engine, now: datetime
) -> None:
    until = now + timedelta(days=2)
    with engine.begin() as connection:
        customer = connection.execute(
            insert(t.customers).values(key="anna", created_at=now, updated_at=now).returning(t.customers.c.id)
        ).scalar_one()
        for fact in (
            row(now, "no"),
            row(now + timedelta(days=1), "yes", "granted", basis="express", expires_at=until),
        ):
            ledger(connection).append([replace(fact, customer_id=customer)])
        assert [one.granted for one in ledger(connection).said(customer, now + timedelta(days=1))] == [True]
        assert [one.granted for one in ledger(connection).said(customer, until)] == [False]

        assert ledger(connection).expire(until, limit=10) == 1
        assert ledger(connection).expire(until, limit=10) == 0
        assert [one.granted for one in ledger(connection).said(customer, until)] == [False]
        assert [line.action for line in ledger(connection).history(customer)] == [
            "revoked",
            "granted",
            "expired",
        ]
        assert check_invariants(connection) == []


facts = st.tuples(
    st.integers(1, 2),
    st.sampled_from(["granted", "confirmed", "revoked", "expired", "erased"]),
    st.sampled_from(["*", "email", "sms"]),
    st.sampled_from(["*", "upsell", "tracking"]),
    st.integers(0, 4),
    st.integers(0, 4),
)


@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(facts, max_size=4), max_size=5))
def test_the_state_is_the_fold_in_whatever_batches_facts_come(
    engine: Engine, now: datetime, batches: list[list[tuple[int, str, str, str, int, int]]]
) -> None:
    with engine.connect() as connection:
        for number, batch in enumerate(batches):
            rows = [
                row(
                    now, f"s{number}-{place}", action, customer_id=customer, channel=channel, topic=topic,
                    occurred_at=now + timedelta(hours=occurred), recorded_at=now + timedelta(hours=recorded),
                )
                for place, (customer, action, channel, topic, occurred, recorded) in enumerate(batch)
            ]  # fmt: skip
            ledger(connection).append(rows)
            assert check_invariants(connection) == []
        before = connection.execute(text("SELECT * FROM consents ORDER BY 1, 2, 3")).all()
        connection.execute(text("DELETE FROM consents"))
        consents.rebuild(connection, {1, 2})
        assert connection.execute(text("SELECT * FROM consents ORDER BY 1, 2, 3")).all() == before
        connection.rollback()
