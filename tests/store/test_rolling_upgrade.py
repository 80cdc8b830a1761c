"""What an upgrade may rely on: old data goes on, old processes work on the new schema, and a misfit says so.

``database_0004.sql`` is a database as the engine of revision 0004 left it, with people in every kind of step.
``statements_0005.sql`` are the statements that the processes of revision 0005 ran over a story with every kind of
step, opt-out, cap, cooldown, erasure, sweep and invariant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from orchestrator.cli.opening import ready
from orchestrator.errors import StoreError
from orchestrator.store import migrate
from orchestrator.store.coordination.clock import DatabaseClock
from orchestrator.store.monitoring.readiness import readiness
from tests.acceptance.cli import run
from tests.support.engine import open_scene, settings_of

pytestmark = pytest.mark.contract

FIXTURES = Path(__file__).parents[1] / "fixtures"
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)  # when the old engine stopped

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"""  # NOT NULL: with the columns
UNIQUE = """
    SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    JOIN pg_class ON oid = indrelid WHERE indisunique AND relnamespace = 'public'::regnamespace"""
SEQUENCES = "SELECT sequencename, cache_size FROM pg_sequences WHERE schemaname = 'public'"


def test_from_the_release_of_standard_names_on_nothing_is_taken_away(empty_url: str) -> None:
    """A process of the release before finds all it reads, and all it writes is enough."""
    migrate.upgrade(empty_url, migrate.OLDEST_PROGRAM)
    before = catalog(empty_url)
    migrate.upgrade(empty_url)
    after = catalog(empty_url)

    tables = {table for table, _ in before["columns"]}
    assert {
        name for name in before["columns"] if after["columns"].get(name) != before["columns"][name]
    } == set()
    new = {name: after["columns"][name] for name in after["columns"].keys() - before["columns"].keys()}
    unfilled = {
        name
        for name, (_, nullable, default, identity) in new.items()
        if name[0] in tables and nullable == "NO" and default is None and identity == "NO"
    }
    assert unfilled == set()
    for part in ("constraints", "unique"):
        of_before = {row for row in after[part] if row[0] in tables}
        assert of_before == set(before[part]), f"{part} of old tables"
    assert set(before["sequences"]) <= set(after["sequences"])


def test_the_statements_of_the_release_before_are_understood(empty_url: str) -> None:
    statements = [line for line in (FIXTURES / "statements_0005.sql").read_text().splitlines() if line]
    migrate.upgrade(empty_url)

    with psycopg.connect(plain(empty_url), autocommit=True) as connection:
        refused = [line for number, line in enumerate(statements) if not prepared(connection, number, line)]

    assert len(statements) == 100
    assert refused == []


def test_what_an_old_engine_left_goes_on_after_the_upgrade(empty_url: str, tmp_path: Path) -> None:
    migrate.upgrade(empty_url, "0004")
    with psycopg.connect(plain(empty_url), autocommit=True) as connection:
        connection.execute((FIXTURES / "database_0004.sql").read_text().encode())
    migrate.upgrade(empty_url)

    with open_scene(empty_url, tmp_path, start=MIDNIGHT) as scene:
        assert scene.violations() == []
        scene.drain()
        assert scene.spoken() == [("planned", "email"), ("clicked", "in_app")] or scene.spoken() == [
            ("clicked", "in_app"),
            ("planned", "email"),
        ]
        scene.let_pass(days=9)

        assert scene.violations() == []
        assert [step for step, _, _ in scene.messages("listening")] == ["first", "reminder"]
        assert [step for step, _, _ in scene.messages("planned")] == ["first", "reminder"]
        assert [step for step, _, _ in scene.messages("clicked")] == ["first", "second"]
        assert scene.spoken("left") == scene.spoken("ended") == scene.spoken("resting") == []
        assert scene.value("SELECT count(*) FROM timers") == 0
        ended = scene.rows("SELECT DISTINCT end_status FROM enrollments")
        assert {row.end_status for row in ended} == {"finished", "opted_out"}
        assert scene.rows("SELECT * FROM parked") == []


def test_a_program_works_on_a_newer_schema_that_takes_it(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    now_at(empty_url, "9999", oldest=migrate.head())

    assert migrate.problem_at(empty_url) is None
    assert ready(settings_of(empty_url)).database_url is not None
    told = run("doctor", "--json", database_url=empty_url).json
    (schema,) = [one for one in told["findings"] if one["about"] == "schema"]
    assert schema["ok"]
    assert schema["words"] == f"revision 9999, newer than this program's {migrate.head()}, and fits"


@pytest.mark.parametrize("oldest", ["9999", None])
def test_a_program_refuses_a_newer_schema_that_does_not_take_it(empty_url: str, oldest: str | None) -> None:
    migrate.upgrade(empty_url)
    now_at(empty_url, "9999", oldest=oldest)

    with pytest.raises(StoreError, match="start the new release"):
        ready(settings_of(empty_url))
    engine = create_engine(empty_url)
    found = readiness(engine, DatabaseClock())
    engine.dispose()
    assert "newer than this program" in found.schema
    assert not found.ready


def test_a_program_refuses_an_older_schema(empty_url: str) -> None:
    migrate.upgrade(empty_url, migrate.OLDEST_PROGRAM)
    with pytest.raises(StoreError, match=rf"needs {migrate.head()}; run: orchestrator db upgrade"):
        ready(settings_of(empty_url))


def now_at(url: str, revision: str, *, oldest: str | None) -> None:
    """As the migrations of a later release leave it."""
    comment = "NULL" if oldest is None else f"'programs from revision {oldest}'"
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))
        connection.execute(f"COMMENT ON COLUMN alembic_version.version_num IS {comment}".encode())


def prepared(connection: psycopg.Connection[Any], number: int, statement: str) -> bool:
    try:
        connection.execute(f"PREPARE s{number} AS {statement}".encode())
    except psycopg.Error:
        return False
    return True


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def catalog(url: str) -> dict[str, Any]:
    with connected(url) as connection:
        columns = connection.execute(text(COLUMNS)).all()
        return {
            "columns": {(row[0], row[1]): tuple(row[2:]) for row in columns},
            **{
                part: [tuple(row) for row in connection.execute(text(query))]
                for part, query in (
                    ("constraints", CONSTRAINTS),
                    ("unique", UNIQUE),
                    ("sequences", SEQUENCES),
                )
            },
        }


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
