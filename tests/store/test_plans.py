"""The hot statements go by indexes whatever PostgreSQL believes: tables analysed when they were empty and full since,
and tables nobody ever analysed. A claim that reads the whole of a table is slow exactly when there is much to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from orchestrator.store.batch.claim import PostgresClaims, next_due
from orchestrator.store.batch.load import load_customers
from orchestrator.store.sql import tables as t
from orchestrator.store.sql.bulk import delete_rows, update_rows
from orchestrator.store.sql.connections import make_engine
from orchestrator.store.sql.pipeline import together
from tests.support.postgres import Databases

PEOPLE = 6000
TAKEN = 40
# Fewer than this of PEOPLE are read of any table, however often a statement looks there.
FEW = 2000
_PLAYBOOK = """
INSERT INTO playbooks (name, version, content_hash, definition, templates, published_at)
VALUES ('p', 1, 'x', '{}', '{}', :now)
"""

_FILL = {
    "customers": "(key, created_at, updated_at) SELECT 'p' || n, :now, :now",
    "contact_points": "(customer_id, channel, address, source, created_at) SELECT n, 'email', 'a', 's', :now",
    "timers": "(customer_id, enrollment_id, playbook, reentry_key, visit, due_at) SELECT n, n, 'p', '', 1, :now",
    "enrollments": "(customer_id, id, playbook_id, playbook, entered_at, held_out, context, trigger, step, visit, "
    "state, rev, step_entered_at) SELECT n, n, 1, 'p', :now, false, '{}', 'x', 's', 1, '{}', 1, :now",
    "journal": "(customer_id, enrollment_id, seq, at, event) SELECT n, n, 1, :now, 'e'",
    "messages": "(customer_id, id, enrollment_id, playbook_id, playbook, step, visit, kind, channels, channel, topic, "
    "promotional, priority, held_out, planned_at, give_up_at, status) "
    "SELECT n, n, n, 1, 'p', 's', 1, 'send', '{email}', 'email', 't', true, 1, false, :now, :now, 'planned'",
    "dispatch": "(customer_id, message_id, provider, due_at, free_at, handed) "
    "SELECT n, n, 'mail', :now, :now, n % 2 = 0",
    "verdicts": "(customer_id, message_id, seq, asked, channel, policy, verdict, why, first_at, last_at) "
    "SELECT n, n, 1, 'planned', 'email', 'all', 'allow', '', :now, :now",
    "cap_slots": "(customer_id, message_id, handed_at, channel, topic, shadow) SELECT n, n, :now, 'email', 't', false",
    "consents": "(customer_id, channel, topic, granted, basis, ledger_id, since) "
    "SELECT n, '*', '*', true, 'x', 1, :now",
    "inbox": "(customer_id, id, kind, occurred_at, received_at, data, lane) "
    "SELECT n, nextval('inbox_ids'), 'signal', :now, :now, '{}', n % 3",
}


@pytest.fixture(params=["analysed when empty", "analysed when nearly empty", "never analysed"])
def filled(databases: Databases, now: datetime, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Its statements were prepared while the tables were empty, as a worker's are in a new installation."""
    with (
        databases.scratch(databases.template()) as url,
        disposing(make_engine(url)) as engine,
        engine.connect() as connection,
    ):
        connection.execute(text(_PLAYBOOK), {"now": now})
        if request.param != "never analysed":
            if request.param == "analysed when nearly empty":
                fill(connection, now)
                for table in reversed(_FILL):
                    connection.execute(text(f"DELETE FROM {table}"))
            for table in _FILL:
                connection.execute(text(f"ANALYZE {table}"))
        connection.commit()
        for _ in range(6):
            everything(connection, now, list(range(1, TAKEN)))
            connection.rollback()
        connection.execute(text("ALTER TABLE customers ALTER COLUMN id RESTART"))
        fill(connection, now)
        connection.commit()
        yield connection


@contextmanager
def disposing(engine: Engine) -> Iterator[Engine]:
    yield engine
    engine.dispose()


def fill(connection: Connection, now: datetime) -> None:
    for table, rows in _FILL.items():
        connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
        statement = f"INSERT INTO {table} {rows} FROM generate_series(1, {PEOPLE}) AS n"
        connection.execute(text(statement), {"now": now})


def everything(connection: Connection, now: datetime, ids: list[int]) -> None:
    """What batches and sweeps ask of the store again and again."""
    claims = PostgresClaims(connection=connection)
    claims.due(now=now, machine=now, limit=TAKEN, capacity={"mail": TAKEN, "sms": TAKEN})
    claims.count_messages(now=now, machine=now, providers=["mail", "sms"], limit=TAKEN)
    claims.these(ids)
    claims.free(ids)
    claims.overdue(before=now, limit=TAKEN)
    next_due(connection, {})
    load_customers(connection, ids, now=now, cap_window=timedelta(days=7))
    mine = [{"customer_id": one} for one in ids]
    with together(connection):
        update_rows(
            connection,
            t.enrollments,
            [{"customer_id": one, "id": one, "rev": 2} for one in ids],
            key=("customer_id", "id"),
        )
        delete_rows(
            connection,
            t.timers,
            [one | {"enrollment_id": one["customer_id"]} for one in mine],
            key=("customer_id", "enrollment_id"),
        )
        delete_rows(
            connection,
            t.dispatch,
            [one | {"message_id": one["customer_id"]} for one in mine],
            key=("customer_id", "message_id"),
        )
        delete_rows(
            connection, t.inbox, [one | {"id": one["customer_id"]} for one in mine], key=("customer_id", "id")
        )


def rows_read(connection: Connection) -> Mapping[str, int]:
    """Rows read so far of each table by this session's transaction, by whatever way."""
    found = connection.execute(
        text(
            "SELECT relname, pg_stat_get_xact_tuples_returned(oid)"
            " + (SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)"
            "      FROM pg_index WHERE indrelid = c.oid) AS read"
            "  FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    )
    return {row.relname: int(row.read) for row in found}


def test_nothing_reads_a_whole_table(filled: Connection, now: datetime) -> None:
    filled.rollback()
    before = rows_read(filled)
    everything(filled, now, list(range(100, 100 + TAKEN)))
    read = {table: rows - before.get(table, 0) for table, rows in rows_read(filled).items()}
    filled.rollback()
    assert {table: rows for table, rows in read.items() if rows >= FEW} == {}
    assert read["customers"] >= TAKEN
