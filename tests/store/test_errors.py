"""What each error of PostgreSQL means to the engine."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Engine, text

from orchestrator.errors import Contended, SchemaMismatch, StoreError, TimedOut, Unavailable, ValueRefused
from orchestrator.store.sql.errors import meaning_of, translated


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
