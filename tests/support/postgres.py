"""The PostgreSQL the tests talk to, and a database of its own for every test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.errors import EmbeddedError
from tests.support.emptying import Shape, empty_again, shape_of
from tests.support.run_folder import one_at_a_time, run_folder
from tests.support.services import missing

_numbers = itertools.count(1)
_ENOUGH_USES = 40  # then the rows that were deleted begin to cost
_LOCAL = (
    "postgresql://127.0.0.1:5432/postgres",
    "postgresql:///postgres",
    "postgresql://postgres@127.0.0.1:5432/postgres",
)


def server_url() -> str:
    """The server named in the environment, the machine's own when asked for, else an embedded one of this run."""
    if given := os.environ.get("ORCHESTRATOR_TEST_DATABASE_URL"):
        return given
    if os.environ.get("ORCHESTRATOR_TEST_SYSTEM_POSTGRES") == "1":
        return system_server() or missing(
            "PostgreSQL on this machine", "it does not answer, or gives no CREATEDB right"
        )
    try:
        server = EmbeddedPostgres(run_folder(), durable=False)
        server.start()
    except EmbeddedError as error:
        missing("embedded PostgreSQL", str(error))
    return server.url_of("postgres")


def system_server() -> str | None:
    """A PostgreSQL already running on this machine in which we may make databases."""
    for url in _LOCAL:
        try:
            with psycopg.connect(url, connect_timeout=2) as connection:
                may = connection.execute(
                    "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
        except psycopg.OperationalError:
            continue
        if may and may[0]:
            return url
    return None


class Databases:
    """Makes and drops scratch databases on one server. Names carry the run, so runs never meet."""

    def __init__(self, server: str) -> None:
        self.server = server
        self._run = run_folder().name.removeprefix("run-").lower()
        self._spare: list[tuple[str, int]] = []  # emptied databases, and how often each was used

    def template(self) -> str:
        """The name of a database at the newest revision, migrated once for all processes of the run."""
        from orchestrator.store.migrate import upgrade

        name = f"orchestrator_test_{self._run}_template"
        with one_at_a_time("template") as done:
            if not done.exists():
                self._execute("CREATE DATABASE {}", name)
                upgrade(self.url(name))
                done.with_suffix(".server").write_text(self.server)
                done.write_text(name)
        return name

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a database at the newest revision with no row in it.

        Deleting the few rows of a test takes a tenth of the time of copying the template, so a database serves many
        tests. One that is no longer as it was made, or still in use, is dropped.
        """
        name, uses = self._spare.pop() if self._spare else (self._create(self.template()), 0)
        reusable = False
        try:
            yield self.url(name)
            reusable = uses < _ENOUGH_USES and empty_again(self._plain(self.url(name)), self._as_made)
        finally:
            if reusable:
                self._spare.append((name, uses + 1))
            else:
                self._drop(name)

    @contextmanager
    def scratch(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, dropped at the end whoever is still connected."""
        name = self._create(template)
        try:
            yield self.url(name)
        finally:
            self._drop(name)

    def drop_spare(self) -> None:
        while self._spare:
            self._drop(self._spare.pop()[0])

    def drop_template(self) -> None:
        self._drop(f"orchestrator_test_{self._run}_template")

    def url(self, name: str) -> str:
        parsed = make_url(self.server).set(drivername="postgresql+psycopg", database=name)
        return parsed.render_as_string(hide_password=False)

    @cached_property
    def _as_made(self) -> Shape:
        """What a database at the newest revision looks like before anybody uses it."""
        with self.scratch(self.template()) as url, psycopg.connect(self._plain(url)) as connection:
            return shape_of(connection)

    def _create(self, template: str) -> str:
        name = f"orchestrator_test_{self._run}_{os.getpid()}_{next(_numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def _drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._plain(self.server), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @staticmethod
    def _plain(url: str) -> str:
        return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
