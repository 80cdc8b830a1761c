"""Processor time of processes, from /proc: on a shared machine it says more than the wall clock.

The time of PostgreSQL is that of the backends of one database, known by their process titles. What the server does for
all of them (checkpoints, writing the log ahead) is not in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from benchmarks.harness.scratch import connect

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_EVERY = 0.1  # seconds
_PROC = Path("/proc")


def of_process(pid: int) -> float:
    """Seconds of user and system time so far; 0 of one that is gone."""
    return sum(_stat(pid)[11:13]) * _TICK


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for one in found:
        found += _children(one)
    return found


def memory(pid: int) -> tuple[float, float]:
    """Resident and proportional set size in MB; a page that n processes share counts 1/n in the second."""
    sizes = {"Rss": 0.0, "Pss": 0.0}
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in sizes:
                sizes[name] = int(rest.split()[0]) / 1024
    return sizes["Rss"], sizes["Pss"]


class PostgresCpu:
    """Adds up what the backends of a database use from :meth:`start` to :attr:`seconds`; also of those that come and
    go, as far as they live a tenth of a second. None when the server does not run on this machine."""

    def __init__(self, url: str) -> None:
        with connect(url) as connection:
            row = connection.execute("SELECT pg_backend_pid(), current_database()").fetchone()
        assert row is not None
        self._mark = str(row[1])
        self._server = _parent(url)
        self._before: dict[int, float] = {}
        self._seen: dict[int, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._before = dict(self._seen)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    @property
    def seconds(self) -> float | None:
        """Seconds of processor time; call it when the watch is over."""
        if self._server is None:
            return None
        return sum(seconds - self._before.get(pid, 0.0) for pid, seconds in self._seen.items())

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        if self._server is None:
            return
        for pid in _children(self._server):
            if self._mark in _title(pid):
                self._seen[pid] = max(of_process(pid), self._seen.get(pid, 0.0))


def _parent(url: str) -> int | None:
    """The postmaster's pid, if it is a process of this machine."""
    with connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        pid = int(row[0]) if row else 0
        return int(_stat(pid)[1]) if "postgres" in _title(pid) else None


def _children(pid: int) -> Iterable[int]:
    with suppress(OSError):
        tasks = list((_PROC / str(pid) / "task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    return []


def _title(pid: int) -> str:
    with suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _stat(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat behind the name; the state is 0."""
    try:
        words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0] * 20
    return [0, *(int(word) for word in words[1:20])]
