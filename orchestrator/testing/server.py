"""The PostgreSQL that tests make their databases in: one that is named in the environment, else an embedded one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.embedded_postgres.server import EmbeddedPostgres

VARIABLE = "ORCHESTRATOR_TEST_DATABASE_URL"
MAINTENANCE_DATABASE = "postgres"


@contextmanager
def server_for_tests(folder: Path | None = None) -> Iterator[str]:
    """The URL of the server that ``ORCHESTRATOR_TEST_DATABASE_URL`` names, else of an embedded one in ``folder``.

    Its user needs the right to create databases; the database that the URL names is left as it is.
    """
    if given := os.environ.get(VARIABLE):
        yield given
    else:
        with embedded_server(folder) as url:
            yield url


@contextmanager
def embedded_server(folder: Path | None = None) -> Iterator[str]:
    """The URL of an embedded server that is fast and not durable (extra ``embedded``).

    A ``folder`` keeps its files for the next run, which then starts in a fraction of a second. Any number of processes
    may use it at once: the last of them stops it. Without a folder it leaves nothing behind. Raises EmbeddedError.
    """
    if folder is None:
        with (
            tempfile.TemporaryDirectory(prefix="orchestrator-") as scratch,
            embedded_server(Path(scratch)) as url,
        ):
            yield url
        return
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres(folder, durable=False)
    with (folder / "in_use.lock").open("a") as users:
        fcntl.flock(
            users, fcntl.LOCK_SH
        )  # whoever stops it holds this alone, and a newcomer waits here meanwhile
        try:
            server.start()
            yield server.url_of(MAINTENANCE_DATABASE)
        finally:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.stop()
