"""What each error of PostgreSQL means to the engine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import URL, Engine, text

from orchestrator.errors import Contended, SchemaMismatch, StoreError, TimedOut, Unavailable, ValueRefused
from orchestrator.store.sql.connections import make_engine
from orchestrator.store.sql.errors import MEANINGS, meaning_of, translated
from orchestrator.store.sql.pipeline import PipelinedQuery, ask_all, together

# What says nothing about whose fault it is: whoever runs a batch finds out by taking it apart.
UNDECIDED = frozenset(
    {
        "02", "03", "09", "0B", "0F", "0L", "0P", "0Z",  # no data, an incomplete statement, triggers, roles
        "24", "25", "27", "2B", "2D", "2F",  # cursors, transactions in another state, privileges that hang together
        "34", "38", "39", "3B", "55", "HV", "P0", "XX",  # cursors, routines, savepoints, foreign data, PL/pgSQL, bugs
    }
)  # fmt: skip


def _all_states() -> set[str]:
    """Every SQLSTATE the driver has a class for: PostgreSQL's appendix."""
    found = (getattr(errors, name) for name in dir(errors))
    states = (one.__dict__.get("sqlstate") for one in found if isinstance(one, type))
    return {state for state in states if isinstance(state, str)}


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (errors.SerializationFailure, Contended),
        (errors.DeadlockDetected, Contended),
        (errors.LockNotAvailable, Contended),
        (errors.ConnectionFailure, Unavailable),
        (errors.TooManyConnections, Unavailable),
        (errors.DiskFull, Unavailable),
        (errors.OutOfMemory, Unavailable),
        (errors.AdminShutdown, Unavailable),
        (errors.CrashShutdown, Unavailable),
        (errors.CannotConnectNow, Unavailable),
        (errors.IoError, Unavailable),
        (errors.IdleInTransactionSessionTimeout, Unavailable),
        (errors.ReadOnlySqlTransaction, Unavailable),
        (errors.QueryCanceled, TimedOut),
        (psycopg.OperationalError, Unavailable),
        (psycopg.InterfaceError, Unavailable),
        (errors.NotNullViolation, ValueRefused),
        (errors.UniqueViolation, ValueRefused),
        (errors.CharacterNotInRepertoire, ValueRefused),
        (errors.ProgramLimitExceeded, ValueRefused),
        (errors.UndefinedColumn, SchemaMismatch),
    ],
)
def test_an_error_has_one_meaning(error: type[psycopg.Error], meaning: type[StoreError]) -> None:
    assert type(meaning_of(error("anna@shop.example"))) is meaning
    assert "anna" not in str(meaning_of(error("anna@shop.example")))


def test_a_connection_that_is_lost_is_an_outage_whatever_was_asked() -> None:
    assert type(meaning_of(errors.UndefinedColumn("x"), lost=True)) is Unavailable


Fails = Callable[[Engine], None]


def statement(sql: str) -> Fails:
    """One statement that fails by itself."""

    def fails(engine: Engine) -> None:
        with translated(), engine.begin() as connection:
            connection.execute(text(sql))

    return fails


def deadlock(engine: Engine) -> None:
    """Two transactions that each want what the other holds: PostgreSQL ends one of them."""
    both = threading.Barrier(2)

    def crosswise(first: int, second: int) -> Exception | None:
        try:
            with translated(), engine.begin() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
                both.wait(10)
                connection.execute(text(f"SELECT pg_advisory_xact_lock({second})"))
        except StoreError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as threads:
        found = [threads.submit(crosswise, 1, 2), threads.submit(crosswise, 2, 1)]
        (lost,) = [error for one in found if (error := one.result()) is not None]
    raise lost


def outrun(engine: Engine) -> None:
    """A row changed by another since this transaction's snapshot."""
    with engine.begin() as setting_up:
        setting_up.execute(text("CREATE TABLE race (n int)"))
        setting_up.execute(text("INSERT INTO race VALUES (1)"))
    with translated(), engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SELECT * FROM race"))
        with engine.begin() as faster:
            faster.execute(text("UPDATE race SET n = 2"))
        connection.execute(text("UPDATE race SET n = 3"))


def ended_by_an_operator(engine: Engine) -> None:
    with translated(), engine.begin() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as operator:
            operator.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        connection.execute(text("SELECT 1"))


def too_long_for_an_index(engine: Engine) -> None:
    with translated(), engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE keys (key text PRIMARY KEY)"))
        connection.execute(text("INSERT INTO keys VALUES (:key)"), {"key": secrets.token_hex(6000)})


@contextmanager
def opened(url: URL, **pool: int) -> Iterator[Engine]:
    engine = make_engine(url, **pool)
    try:
        yield engine
    finally:
        engine.dispose()


def no_connection_left(engine: Engine) -> None:
    with opened(engine.url, pool_size=1, max_overflow=0) as small:
        small.pool._timeout = 0.05  # type: ignore[attr-defined]
        with small.connect(), translated(), small.begin():
            pass


def nobody_listens(engine: Engine) -> None:
    with opened(engine.url.set(host="127.0.0.1", port=1, query={})) as nowhere, translated(), nowhere.begin():
        pass


def no_such_database(engine: Engine) -> None:
    with opened(engine.url.set(database="not_there")) as other, translated(), other.begin():
        pass


def no_place_at_the_server(engine: Engine) -> None:
    with engine.begin() as admin:
        admin.execute(text("DROP ROLE IF EXISTS crowded"))
        admin.execute(text("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0"))
    try:
        with opened(engine.url.set(username="crowded")) as other, translated(), other.begin():
            pass
    finally:
        with engine.begin() as admin:
            admin.execute(text("DROP ROLE crowded"))


def lost_in_a_pipeline(engine: Engine) -> None:
    with translated(), engine.begin() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as operator:
            operator.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        ask_all(connection, [PipelinedQuery(text("SELECT 1"), {})] * 5)


def refused_in_a_pipeline(engine: Engine) -> None:
    """The first statement decides what it was, however many came after it in vain."""
    with translated(), engine.begin() as connection, together(connection):
        connection.execute(text("INSERT INTO chores VALUES (NULL, now())"))
        for _ in range(200):
            connection.execute(text("SELECT set_config('lc_messages', repeat('C', 1), true)"))


def unreadable_here(engine: Engine) -> None:
    """An instant that PostgreSQL has and Python has not."""
    with translated(), engine.begin() as connection:
        connection.execute(text("SELECT timestamptz '20000-01-01'")).all()


REAL: list[tuple[Fails, type[StoreError]]] = [
    (deadlock, Contended),
    (outrun, Contended),
    (ended_by_an_operator, Unavailable),
    (lost_in_a_pipeline, Unavailable),
    (no_connection_left, Unavailable),
    (nobody_listens, Unavailable),
    (no_such_database, Unavailable),
    (no_place_at_the_server, Unavailable),
    (statement("SET LOCAL transaction_read_only = on; DELETE FROM chores"), Unavailable),
    (statement("SET LOCAL statement_timeout = '5ms'; SELECT pg_sleep(5)"), TimedOut),
    (too_long_for_an_index, ValueRefused),
    (refused_in_a_pipeline, ValueRefused),
    (unreadable_here, ValueRefused),
    (statement("INSERT INTO chores VALUES (NULL, now())"), ValueRefused),
    (statement("SELECT CAST('x' AS bigint)"), ValueRefused),
    (statement("SELECT 1 / 0"), ValueRefused),
    (statement("SELECT (SELECT generate_series(1, 2))"), ValueRefused),
    (statement("SELECT no_such_column FROM customers"), SchemaMismatch),
    (statement("SELECT * FROM no_such_table"), SchemaMismatch),
    (statement("SELECT no_such_function(1)"), SchemaMismatch),
    (statement("SELECT * FROM no_such_schema.customers"), SchemaMismatch),
    (statement("SELECT CAST('x' AS no_such_type)"), SchemaMismatch),
    (statement("SET LOCAL ROLE pg_monitor; DELETE FROM chores"), SchemaMismatch),
    (statement("DO $$ BEGIN RAISE EXCEPTION 'x'; END $$"), StoreError),
]


def test_what_postgresql_really_says(engine: Engine) -> None:
    found = []
    for fails, _ in REAL:
        with pytest.raises(StoreError) as raised:
            fails(engine)
        found.append((fails, type(raised.value)))
    assert found == REAL


def test_every_class_of_sqlstate_is_decided() -> None:
    """A class nobody thought of would be taken for a customer's fault: each is in the table, or open on purpose."""
    states = _all_states()
    assert len(states) > 200
    decided = {state for state in states if any(state.startswith(prefix) for prefix in MEANINGS)}
    assert {state[:2] for state in states - decided} <= UNDECIDED


def test_a_session_that_idled_in_a_transaction_is_an_outage_and_no_customers_fault(engine: Engine) -> None:
    def idle() -> None:
        with translated(), engine.begin() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1ms'"))
            connection.execute(text("SELECT 1"))
            with engine.connect() as other:
                other.execute(text("SELECT pg_sleep(0.2)"))
            connection.execute(text("SELECT 2"))

    with pytest.raises(Unavailable):
        idle()


def test_a_lock_that_does_not_come_is_told_from_an_outage(engine: Engine) -> None:
    def wait() -> None:
        with translated(), engine.begin() as waiting:
            waiting.execute(text("SET LOCAL lock_timeout = '1ms'"))
            waiting.execute(text("SELECT pg_advisory_xact_lock(7)"))

    with engine.begin() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(7)"))
        with pytest.raises(Contended):
            wait()
