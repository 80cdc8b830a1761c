"""The PostgreSQL the tests talk to, and a database of its own for every test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.errors import EmbeddedError
from tests.support.run_folder import one_at_a_time, run_folder
from tests.support.services import missing

_numbers = itertools.count(1)
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
    def scratch(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, dropped at the end whoever is still connected."""
        name = f"orchestrator_test_{self._run}_{os.getpid()}_{next(_numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self.url(name)
        finally:
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def drop_template(self) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", f"orchestrator_test_{self._run}_template")

    def url(self, name: str) -> str:
        parsed = make_url(self.server).set(drivername="postgresql+psycopg", database=name)
        return parsed.render_as_string(hide_password=False)

    def _execute(self, statement: str, *names: str) -> None:
        plain = make_url(self.server).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
