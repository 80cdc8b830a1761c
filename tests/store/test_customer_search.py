"""Customers are found by the beginning of a key, by an account, by a whole address; each way along an index."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from orchestrator.store.reports.pages import customer_search
from orchestrator.store.reports.pages.customer_search import find_customers
from orchestrator.store.sql.connections import make_engine

pytestmark = pytest.mark.contract

PEOPLE = """
    INSERT INTO accounts (key, created_at) VALUES ('acme', now());
    INSERT INTO customers (key, account_id, created_at, updated_at)
    SELECT 'c' || lpad(n::text, 5, '0'), CASE WHEN n <= 3 THEN (SELECT id FROM accounts) END, now(), now()
    FROM generate_series(1, 3000) AS n;
    INSERT INTO customers (key, erased_at, created_at, updated_at) VALUES ('c0001-gone', now(), now(), now());
    INSERT INTO contact_points (customer_id, channel, address, source, created_at)
    SELECT id, 'email', key || '@shop.example', 'profile', now() FROM customers WHERE account_id IS NOT NULL;
"""


@pytest.fixture
def engine(database_url: str) -> Engine:
    made = make_engine(database_url, application_name="tests")
    with made.begin() as connection:
        connection.exec_driver_sql(PEOPLE)
    return made


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ("c0000", [f"c0000{n}" for n in range(1, 10)]),
        ("ac", ["c00001", "c00002", "c00003"]),
        ("C00002@shop.example", ["c00002"]),
        ("c0001-gone", []),
        ("c%", []),
        ("C0000", []),
    ],
)
def test_customers_are_found(engine: Engine, wanted: str, keys: list[str]) -> None:
    with engine.connect() as connection:
        assert sorted(one.key for one in find_customers(connection, wanted)) == keys
    engine.dispose()


def test_nothing_typed_shows_who_came_last(engine: Engine) -> None:
    with engine.connect() as connection:
        assert [one.key for one in find_customers(connection, "", most=2)] == ["c03000", "c02999"]
    engine.dispose()


def test_no_way_to_them_reads_the_whole_table(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        typed = {"from": "c00", "to": "c00\U0010ffff", "address": "x", "lower": "x", "channels": ["email"]}
        for statement, values in ((customer_search._FIND, typed), (customer_search._LAST, {})):
            plan = (
                connection.execute(text(f"EXPLAIN {statement.text}"), {**values, "most": 50}).scalars().all()
            )
            assert not [line for line in plan if "Seq Scan on customers" in line], "\n".join(plan)
    engine.dispose()
