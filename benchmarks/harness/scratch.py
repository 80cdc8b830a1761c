"""Scratch databases: made for one run on the server of this machine, as a new installation would be, and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import psycopg
from sqlalchemy import make_url

from orchestrator.cli.opening import database_url
from orchestrator.settings import load_settings
from orchestrator.store.scratch import scratch_database
from orchestrator.store.sql.tables import metadata

Statistics = Literal["absent", "stale", "fresh"]
"""What the planner knows: nothing (a fresh database), that every table is empty, or what is there now."""

STATISTICS: tuple[Statistics, ...] = ("absent", "stale", "fresh")


_MAY_CREATE = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
_LOCAL = ("postgresql://127.0.0.1:5432/postgres", "postgresql:///postgres")


def server() -> str:
    """The server to make databases on: that of ``ORCHESTRATOR_DATABASE_URL``, else one that listens on this machine and
    lets us make databases, else the embedded one."""
    settings = load_settings()
    if settings.database_url is None:
        for url in _LOCAL:
            with suppress(psycopg.OperationalError), connect(url, connect_timeout=2) as connection:
                row = connection.execute(_MAY_CREATE).fetchone()
                if row is not None and row[0]:
                    return url
    return database_url(settings)


@contextmanager
def scratch(server_url: str, *, analysed_empty: bool = False) -> Iterator[str]:
    """A migrated, empty database whose commits wait for the disk, as in production. The statistics stay as they are
    made: autovacuum leaves the tables alone, so that a run does not depend on when it comes by."""
    with scratch_database(server_url) as url:
        name = make_url(url).database
        with connect(url) as connection:
            connection.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')
            for table in metadata.tables:
                connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
            if analysed_empty:
                connection.execute("VACUUM ANALYZE")
        yield url


def connect(url: str, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """A plain connection of psycopg, each statement committed by itself unless ``autocommit=False`` is given."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, **{"autocommit": True, **options})


def pass_days(url: str, days: float) -> None:
    """Set business time on; nobody may be at work."""
    with connect(url) as connection:
        connection.execute(
            "UPDATE clock SET business_anchor = business_anchor + %s * interval '1 day'", [days]
        )


def analyse(url: str) -> None:
    with connect(url) as connection:
        connection.execute("VACUUM ANALYZE")


IDLE = """
SELECT NOT EXISTS (SELECT FROM inbox) AND NOT EXISTS (SELECT FROM dispatch) AND NOT EXISTS (
       SELECT FROM timers, clock
        WHERE due_at <= business_anchor + (clock_timestamp() - machine_anchor) * rate)
"""
"""Whether a wave is over: nothing came in, nothing is on its way out, no timer is due."""
