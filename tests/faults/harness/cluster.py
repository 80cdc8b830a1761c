"""A PostgreSQL of one run, to be stopped at once, kept away, frozen, and cut off from its clients."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from orchestrator.embedded_postgres.postgres_binaries import is_alive
from orchestrator.embedded_postgres.server import EmbeddedPostgres
from tests.support.run_folder import note_cluster


class Cluster:
    """A cluster of its own in ``folder``, durable: what it committed survives being stopped at once."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedPostgres(folder)
        note_cluster(folder)
        self.server.start()

    @property
    def url(self) -> str:
        return self.server.url

    def stop_at_once(self) -> None:
        """An immediate shutdown: every backend ends where it is, recovery follows at the next start."""
        pid = self._postmaster()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        ends = time.monotonic() + 20
        while is_alive(pid) and time.monotonic() < ends:
            time.sleep(0.02)

    def start(self) -> None:
        self.server.start()

    @contextmanager
    def away(self) -> Iterator[None]:
        self.stop_at_once()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections are open and nothing is answered: SIGSTOP to the server and its backends."""
        stopped = [self._postmaster()]
        os.kill(stopped[0], signal.SIGSTOP)  # it starts no more backends
        stopped += _children(stopped[0])
        for pid in stopped[1:]:
            _signal(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(stopped):
                _signal(pid, signal.SIGCONT)

    def cut_connections(self) -> int:
        """Terminate every backend but our own; how many."""
        with psycopg.connect(self._plain, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            pid = self._postmaster()
            for one in (*_children(pid), pid):
                _signal(one, signal.SIGCONT)
        self.server.stop()

    @property
    def _plain(self) -> str:
        return self.url.replace("postgresql+psycopg", "postgresql", 1)

    def _postmaster(self) -> int:
        return int((self.server.data / "postmaster.pid").read_text().split("\n", 1)[0])


def _children(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(one) for one in found.stdout.split()]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
