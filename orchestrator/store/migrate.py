"""Brings a database to a revision of the schema, whoever else is starting at the same moment.

Tables are moved by Alembic revisions in ``migrations/versions``. Views are derived: they are dropped before tables
change and made again from :mod:`orchestrator.store.reports.views` after. All of one call is one transaction under an
advisory lock: it happens wholly or not at all, and a second process waits and then finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from orchestrator.clock import monotonic
from orchestrator.errors import StoreError, Unavailable
from orchestrator.store.reports import views
from orchestrator.store.sql.connections import normalize_url
from orchestrator.telemetry import emit

OLDEST_PROGRAM = "0005"
"""Programs written for this revision and later work on the newest schema too, so an upgrade may be rolling: the schema
first, then one process after the other. A migration that takes away what they use raises it to its own revision."""

_LOCK = 0x6F726368  # any number of our own
_UPGRADE = "run: orchestrator db upgrade"
_RUNS_FROM = "programs from revision "
# On the column: the comment on the table is the views' digest.
_COMMENT = text("SELECT col_description(to_regclass('alembic_version'), 1)")
_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Move forward to ``revision``. At the head already: nothing is touched, no reader of a view is disturbed."""
    started = monotonic()
    with _locked(url) as connection:
        previous = revision_of(connection)
        if _target(revision) != previous:
            views.drop(connection)
            command.upgrade(_config(connection), revision)
        now = revision_of(connection)
        if now == head() and connection.execute(_COMMENT).scalar() != f"{_RUNS_FROM}{OLDEST_PROGRAM}":
            connection.execute(
                text(f"COMMENT ON COLUMN alembic_version.version_num IS '{_RUNS_FROM}{OLDEST_PROGRAM}'")
            )
        if now == head() and not views.are_current(connection):
            views.drop(connection)
            views.create(connection)
    _tell(previous, now, started)


def downgrade(url: str, revision: str) -> None:
    """Move back to ``revision``; ``base`` leaves an empty database. Data in what is dropped is gone."""
    started = monotonic()
    with _locked(url) as connection:
        previous = revision_of(connection)
        views.drop(connection)
        command.downgrade(_config(connection), revision)
        now = revision_of(connection)
    _tell(previous, now, started)


def current(url: str) -> str | None:
    """The revision the database is at; None when it holds no schema of ours."""
    with _connected(url) as connection:
        return revision_of(connection)


def problem(connection: Connection) -> str | None:
    """Why this program does not fit the schema of a connection's database; None when it does.

    A newer schema fits when it says that programs of this one's revision work on it.
    """
    revision = revision_of(connection)
    known = revisions()
    if revision is None:
        return f"not migrated; {_UPGRADE}"
    if revision in known:
        behind = f"at revision {revision}, this program needs {known[-1]}; {_UPGRADE}"
        return None if revision == known[-1] else behind
    comment: str = connection.execute(_COMMENT).scalar() or ""
    oldest = comment.removeprefix(_RUNS_FROM) if comment.startswith(_RUNS_FROM) else None
    if oldest is not None and known[-1] >= oldest:
        return None
    return (
        f"at revision {revision}, which is newer than this program and takes programs from revision "
        f"{oldest or revision} on; this one is of {known[-1]}: start the new release"
    )


def problem_at(url: str) -> str | None:
    """:func:`problem` of the database at ``url``."""
    with _connected(url) as connection:
        return problem(connection)


def head() -> str:
    """The revision this software was written for."""
    found = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    if found is None:
        msg = f"no migrations in {_SCRIPTS}: the installation is incomplete"
        raise StoreError(msg)
    return found


@cache
def revisions() -> tuple[str, ...]:
    """Every revision this software knows, the oldest first."""
    return tuple(reversed([one.revision for one in ScriptDirectory(str(_SCRIPTS)).walk_revisions()]))


def _tell(previous: str | None, now: str | None, started: float) -> None:
    if now != previous:
        seconds = round(monotonic() - started, 3)
        emit("database.migrated", revision=now, previous=previous, seconds=seconds)


def _target(revision: str) -> str:
    return head() if revision == "head" else revision


def revision_of(connection: Connection) -> str | None:
    """The revision a connection's database is at; None when it holds no schema of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _locked(url: str) -> Iterator[Connection]:
    with _connected(url) as connection:
        # A service's own time-outs must not cut a long migration, nor the wait for another process's.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(normalize_url(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as problem:
        msg = f"PostgreSQL at {engine.url.render_as_string()} does not answer: {_first_line(problem)}"
        raise Unavailable(msg) from problem
    except DBAPIError as problem:
        msg = f"the schema could not be moved: {_first_line(problem)}"
        raise StoreError(msg) from problem
    except CommandError as problem:
        msg = (
            f"the schema could not be moved: {problem}; `orchestrator db upgrade` goes to the newest revision"
        )
        raise StoreError(msg) from problem
    finally:
        engine.dispose()


def _first_line(problem: DBAPIError) -> str:
    return str(problem.orig).partition("\n")[0]
