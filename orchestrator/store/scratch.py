"""Scratch databases: made for one rehearsal or one test on whatever server there is, dropped at its end.

A rehearsal migrates its own database. A test copies a template that was migrated once: a copy takes a fraction of the
time, and every test still begins in a database that nobody has touched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from orchestrator.errors import StoreError, Unavailable
from orchestrator.ids import new_key
from orchestrator.store import migrate
from orchestrator.store.sql.connections import normalize_url

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TEMPLATE_LOCK = 0x74706C74  # any number of our own
_HERE = Path(__file__).parent


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """A migrated, empty database on the server that ``server`` (a URL) leads to; gone afterwards, whatever happened."""
    name = _new_name("scratch")
    url = make_database(server, name)
    try:
        yield url
    finally:
        drop_database(server, name)


@contextmanager
def copied_database(server: str) -> Iterator[str]:
    """The same, copied from a template that the first caller makes and that stays on the server for the next run."""
    name = _new_name("test")
    with _server(server) as connection:
        template = _template(connection, server)
        # Copying files is faster, but needs a checkpoint: nearly free only where no disk is waited for.
        strategy = "FILE_COPY" if connection.scalar(text("SHOW fsync")) == "off" else "WAL_LOG"
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    try:
        yield _url_of(server, name)
    finally:
        drop_database(server, name)


def make_database(server: str, name: str, *, replace: bool = False) -> str:
    """Create and migrate the database ``name``; with ``replace`` an old one of that name goes first.

    What is rehearsed can be rehearsed again, so it need not survive a power cut: commits do not wait for the disk.
    """
    _checked(name)
    with _server(server) as connection:
        if replace:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    url = _url_of(server, name)
    migrate.upgrade(url)
    return url


def drop_database(server: str, name: str) -> None:
    """Remove a database, whoever is still connected to it."""
    with _server(server) as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)"))


def _template(connection: Connection, server: str) -> str:
    """The name of the migrated database to copy. Made under a draft's name, so one cut short is never copied."""
    name = f"orchestrator_template_{_schema_version()}"
    known = text("SELECT 1 FROM pg_database WHERE datname = :name")
    if connection.execute(known, {"name": name}).first() is None:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _TEMPLATE_LOCK})
        if connection.execute(known, {"name": name}).first() is None:  # nobody else made it meanwhile
            make_database(server, f"{name}_draft", replace=True)
            connection.execute(text(f"ALTER DATABASE {name}_draft RENAME TO {name}"))
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _TEMPLATE_LOCK})
    return name


@cache
def _schema_version() -> str:
    """Another schema, view or migration makes another template."""
    sources = (
        *sorted(_HERE.glob("migrations/versions/*.py")),
        _HERE / "reports/views.py",
        _HERE / "sql/tables.py",
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _new_name(purpose: str) -> str:
    return f"orchestrator_{purpose}_{new_key()[:12]}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = f"a database name has small letters, digits and _, got {name!r}"
        raise ValueError(msg)
    return name


def _url_of(server: str, name: str) -> str:
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@contextmanager
def _server(url: str) -> Iterator[Connection]:
    engine = create_engine(normalize_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as problem:
        msg = f"PostgreSQL does not answer: {str(problem.orig).partition(chr(10))[0]}"
        raise Unavailable(msg) from problem
    except DBAPIError as problem:
        msg = f"no scratch database could be made: {str(problem.orig).partition(chr(10))[0]}; the user needs CREATEDB"
        raise StoreError(msg) from problem
    finally:
        engine.dispose()
