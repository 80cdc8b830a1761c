"""Takes the rows of a test out of its database, so that the next test finds it as it was made."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace ORDER BY relname"
)
_OBJECTS = (  # any statement that makes or drops something changes one of these numbers
    "SELECT (SELECT count(*) FROM pg_class WHERE relpersistence <> 't'), (SELECT count(*) FROM pg_attribute),"
    " (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_type),"
    " (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O'),"
    " (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%temp%'),"
    " (SELECT count(*) FROM pg_db_role_setting r JOIN pg_database d ON d.oid = r.setdatabase"
    "  WHERE d.datname = current_database())"
)
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)
_RESTART = (
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences"
    " WHERE last_value IS NOT NULL"
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A database as it was made: its tables, how many objects of each kind there are, and the rows it began with."""

    tables: tuple[str, ...]
    objects: tuple[int, ...]
    rows: dict[str, list[str]]


def shape_of(connection: psycopg.Connection) -> Shape:
    tables = tuple(name for (name,) in connection.execute(_TABLES))
    objects = connection.execute(_OBJECTS).fetchone()
    assert objects is not None
    return Shape(tables=tables, objects=objects, rows=_rows(connection, _filled(connection, tables)))


def empty_again(url: str, made: Shape) -> bool:
    """Delete what a test wrote. False when the database is not as it was made, or somebody is still connected."""
    try:
        with psycopg.connect(url) as connection:
            if connection.execute(_OBJECTS).fetchone() != made.objects:
                return False
            _delete(connection, [name for name in _filled(connection, made.tables) if name not in made.rows])
            connection.execute(_RESTART)
            kept = _rows(connection, list(made.rows)) == made.rows
            return kept and connection.execute(_OTHERS).fetchone() == (0,)
    except psycopg.Error:
        return False


def _filled(connection: psycopg.Connection, tables: tuple[str, ...]) -> list[str]:
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
        for name in tables
    )
    return [name for (name,) in connection.execute(asked)]


def _delete(connection: psycopg.Connection, tables: list[str]) -> None:
    """One statement for all of them: foreign keys are looked at when it ends."""
    if tables:
        parts = sql.SQL(", ").join(
            sql.SQL("{} AS (DELETE FROM {})").format(sql.Identifier(f"no_{name}"), sql.Identifier(name))
            for name in tables
        )
        connection.execute(sql.SQL("WITH {} SELECT 1").format(parts))


def _rows(connection: psycopg.Connection, tables: list[str]) -> dict[str, list[str]]:
    return {
        name: [row for (row,) in connection.execute(
            sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(name))
        )]
        for name in tables
    }  # fmt: skip
