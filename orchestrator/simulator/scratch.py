"""Scratch databases: made for one rehearsal on whatever server there is, dropped at its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from orchestrator.errors import StoreError, Unavailable
from orchestrator.ids import new_key
from orchestrator.store import migrate

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """A migrated, empty database on the server that ``server`` (a URL) leads to; gone afterwards, whatever happened."""
    url = make_database(server, f"orchestrator_scratch_{new_key()[:12]}")
    try:
        yield url
    finally:
        drop_database(server, _name_of(url))


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
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    migrate.upgrade(url)
    return url


def drop_database(server: str, name: str) -> None:
    with _server(server) as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)"))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = f"a database name has small letters, digits and _, got {name!r}"
        raise ValueError(msg)
    return name


def _name_of(url: str) -> str:
    return make_url(url).database or ""


@contextmanager
def _server(url: str) -> Iterator[Connection]:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
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
