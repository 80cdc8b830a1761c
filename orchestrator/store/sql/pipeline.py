"""Several statements in one round trip: PostgreSQL's pipeline mode, under SQLAlchemy's connection.

A batch asks a dozen tables and writes as many. Sent one by one each would wait for the one before; sent together they
cost one wait, whatever the distance to the database. SQLAlchemy's listeners are told of every statement all the same.

A pipeline ends with a Sync and, behind it, a Flush. PostgreSQL arms ``idle_in_transaction_session_timeout`` at the
Sync, disarms it when it reads the Flush and has no reason to arm it again: a process that is stopped then would keep
its customers' locks for ever. An empty query after each pipeline arms it.

What is sent in a pipeline goes by keys and by the order of indexes, and the first one of a transaction says so to the
planner: it reads no table from end to end, also where PostgreSQL takes it for small because it has not looked since it
was, and collects no thousands of rows in order to sort them where the first few are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, TextClause
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

_BY_KEYS = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),"
    " set_config('plan_cache_mode', 'force_generic_plan', true)"
)
_TOLD = "goes by keys"  # of which transaction, in the connection's notes
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class PipelinedQuery(NamedTuple):
    """One statement that answers rows, and its parameters by name."""

    statement: TextClause
    values: Mapping[str, Any]


def ask_all(connection: Connection, questions: Sequence[PipelinedQuery]) -> list[list[Any]]:
    """The rows of each statement, as named tuples, in one round trip."""
    driver = _driver(connection)
    cursors = []
    with driver.pipeline():
        _go_by_keys(connection, driver)
        for question in questions:
            cursor = driver.cursor(row_factory=namedtuple_row, binary=True)
            words = _words(question.statement)
            connection.dispatch.before_cursor_execute(connection, cursor, words, question.values, None, False)
            cursor.execute(words, question.values)
            cursors.append(cursor)
        answers = [cursor.fetchall() for cursor in cursors]
    _arm(driver)
    for cursor in cursors:
        cursor.close()
    return answers


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Writes inside are sent without waiting for each other; an error of any is raised at the end."""
    driver = _driver(connection)
    with driver.pipeline():
        _go_by_keys(connection, driver)
        yield
    _arm(driver)


def _go_by_keys(connection: Connection, driver: psycopg.Connection[Any]) -> None:
    transaction = connection.get_transaction()
    if transaction is not None and connection.info.get(_TOLD) is not transaction:
        driver.execute(_BY_KEYS)
        connection.info[_TOLD] = transaction


def _arm(driver: psycopg.Connection[Any]) -> None:
    """Let the time-out for an idle transaction run from now. If the connection is lost, the next statement says so."""
    driver.pgconn.exec_(b"")


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


@lru_cache(maxsize=256)
def _words(statement: TextClause) -> Any:
    """The statement as the driver spells it."""
    return str(statement.compile(dialect=_DIALECT))
