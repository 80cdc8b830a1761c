"""Any number of rows, one statement; and bad values named by their row."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from orchestrator.errors import StoreError
from orchestrator.store.sql.bulk import delete_rows, insert_rows, update_rows
from orchestrator.store.sql.tables import batches_in_hand, conversions, customers, journal, timers
from tests.support.effort import examples
from tests.support.statements import counted

pytestmark = pytest.mark.contract


def customer(key: str, now: datetime, **more: Any) -> dict[str, Any]:
    return {"key": key, "created_at": now, "updated_at": now} | more


def timer(customer_id: int, now: datetime, visit: int = 1) -> dict[str, Any]:
    return {
        "customer_id": customer_id, "enrollment_id": 7, "playbook": "upsell", "reentry_key": "", "visit": visit,
        "due_at": now,
    }  # fmt: skip


def test_a_thousand_rows_are_one_statement(engine: Engine, now: datetime) -> None:
    with counted(engine) as statements, engine.begin() as connection:
        written = insert_rows(
            connection, customers, [customer(f"c{n}", now) for n in range(1000)], returning=("id", "key")
        )
    assert len(statements) == 1
    assert {row.key for row in written} == {f"c{n}" for n in range(1000)}


def test_no_rows_are_no_statement(engine: Engine) -> None:
    with counted(engine) as statements, engine.begin() as connection:
        assert insert_rows(connection, customers, [], returning=("id",)) == []
        assert update_rows(connection, timers, [], key=("customer_id",)) == 0
        assert delete_rows(connection, timers, [], key=("customer_id",)) == 0
    assert statements == []


def test_every_type_comes_back_as_it_went(engine: Engine, now: datetime) -> None:
    properties = {"quote": '"', "slash": "\\", "brace": "{,}", "null": None, "deep": [1, 2.5, {"a": "ü"}]}
    with engine.begin() as connection:
        insert_rows(
            connection,
            customers,
            [
                customer(
                    "a", now, tags=['q"', "b\\c", "{,}", "NULL", ""], attributes=properties, timezone=None
                )
            ],
        )
        insert_rows(
            connection,
            batches_in_hand,
            [{"process": "p", "customer_ids": [1, 2**60], "beat_at": now, "crash_counts": {"1": Decimal(2)}}],
        )
        insert_rows(
            connection,
            conversions,
            [
                {"customer_id": 1, "enrollment_id": 1, "event": "e", "at": now, "value": v, "held_out": h}
                for v, h in ((1.25, True),)
            ],
        )
        stored = connection.execute(select(customers)).one()
        process = connection.execute(select(batches_in_hand)).one()
        conversion = connection.execute(select(conversions)).one()
    assert stored.tags == ['q"', "b\\c", "{,}", "NULL", ""]
    assert stored.attributes == properties
    assert stored.created_at == now
    assert stored.timezone is None
    assert process.customer_ids == [1, 2**60]
    assert process.crash_counts == {"1": "2"}
    assert (conversion.value, conversion.held_out, conversion.message_id) == (1.25, True, None)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc\\\"'%{}:"), inner),
    max_leaves=8,
)


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))),
    value=json_values,
)
def test_any_text_and_any_json_survive(engine: Engine, now: datetime, texts: list[str], value: Any) -> None:
    with engine.connect() as connection:
        insert_rows(connection, customers, [customer("a", now, tags=texts, attributes={"v": value})])
        stored = connection.execute(select(customers.c.tags, customers.c.attributes)).one()
        connection.rollback()
    assert stored.tags == texts
    assert stored.attributes == {"v": value}


def test_conflicts_are_an_error_unless_asked(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        insert_rows(connection, customers, [customer("a", now)])
        again = [customer("a", now, locale="de"), customer("b", now, locale="de")]
        new = insert_rows(connection, customers, again, on_conflict="nothing", returning=("key",))
        assert [row.key for row in new] == ["b"]
        both = insert_rows(
            connection, customers, again, on_conflict="update", conflict_columns=("key",),
            update_columns=("locale",), returning=("key", "locale"),
        )  # fmt: skip
        assert [(row.key, row.locale) for row in both] == [("a", "de"), ("b", "de")]
    with engine.connect() as connection, pytest.raises(Exception, match="uq_customers_key"):
        insert_rows(connection, customers, [customer("a", now)])


def test_the_primary_key_is_the_usual_conflict(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        insert_rows(connection, timers, [timer(1, now)])
        insert_rows(connection, timers, [timer(1, now, visit=2)], on_conflict="update")
        assert connection.execute(select(timers.c.visit)).scalars().all() == [2]


def test_an_update_sets_each_row_and_its_guard_is_kept(engine: Engine, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with engine.begin() as connection:
        insert_rows(connection, timers, [timer(1, now), timer(2, now, visit=9)])
    moved = [
        {"customer_id": n, "enrollment_id": 7, "visit": 2, "due_at": later + timedelta(hours=n)}
        for n in (1, 2, 3)
    ]
    with counted(engine) as statements, engine.begin() as connection:
        changed = update_rows(
            connection, timers, moved, key=("customer_id", "enrollment_id"), guard="t.visit = u.visit - 1"
        )
    assert (changed, len(statements)) == (1, 1)
    with engine.connect() as connection:
        rows = connection.execute(
            select(timers.c.visit, timers.c.due_at).order_by(timers.c.customer_id)
        ).all()
    assert [tuple(row) for row in rows] == [(2, later + timedelta(hours=1)), (9, now)]


def test_a_delete_looks_at_keys_only(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        insert_rows(connection, timers, [timer(n, now) for n in (1, 2, 3)])
        gone = delete_rows(
            connection, timers, [timer(1, now), timer(3, now)], key=("customer_id", "enrollment_id")
        )
        assert gone == 2
        assert connection.execute(select(timers.c.customer_id)).scalars().all() == [2]


@pytest.mark.parametrize("poison", ["zero\x00byte", "half\ud800", 5])
def test_a_value_postgresql_cannot_hold_is_named_by_its_row(
    engine: Engine, now: datetime, poison: Any
) -> None:
    row = {"customer_id": 1, "enrollment_id": 2, "seq": 0, "at": now, "event": "entered", "outcome": "x"}
    with counted(engine) as statements, engine.begin() as connection, pytest.raises(StoreError) as caught:
        insert_rows(connection, journal, [row, row | {"seq": 1, "outcome": poison}])
    assert "journal.outcome of row 1 (customer_id 1, enrollment_id 2, seq 1)" in str(caught.value)
    assert statements == []


@pytest.mark.parametrize("poison", ["\x00", float("nan"), float("inf"), "\ud800", {"\x00": 1}, object()])
def test_json_postgresql_cannot_hold_is_named_too(engine: Engine, now: datetime, poison: Any) -> None:
    row = {
        "customer_id": 1,
        "enrollment_id": 2,
        "seq": 0,
        "at": now,
        "event": "e",
        "data": {"deep": [poison]},
    }
    with engine.begin() as connection, pytest.raises(StoreError, match=r"journal\.data of row 0"):
        insert_rows(connection, journal, [row])


def test_naive_instants_are_refused(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection, pytest.raises(StoreError, match="time zone"):
        insert_rows(connection, timers, [timer(1, now.replace(tzinfo=None))])


def test_rows_of_different_shape_are_refused(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        with pytest.raises(StoreError, match="every row must have the keys of the first"):
            insert_rows(connection, customers, [customer("a", now), customer("b", now, locale="de")])
        with pytest.raises(StoreError, match="colour"):
            insert_rows(connection, customers, [{"colour": "red"}])
