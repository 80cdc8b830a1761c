"""Contenders as processes of their own: each line of their standard input is an order, each line they print an answer.

A contender is a module that calls :func:`serve` with what it can do. It stays until its input is closed, so that its
connections, and with them the processor time of their backends, can be read after the work is done.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_PATIENCE = 300.0  # seconds for one order

Order = Callable[..., Mapping[str, Any] | None]


class Child:
    """One contender's process."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                 **(environment or {})},
        )  # fmt: skip
        self.pid = self._process.pid
        self.answer()

    def order(self, what: str, **how: Any) -> None:
        """Give an order; :meth:`answer` waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, how]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the last order; RuntimeError when the process ended or took too long."""
        watch = threading.Timer(_PATIENCE, self._process.kill)
        watch.start()
        try:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            msg = f"a contender ended too early or took more than {_PATIENCE:.0f} s: exit code {self._process.wait()}"
            raise RuntimeError(msg)
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """Close its input and wait for its end; one that does not end is killed."""
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ordered(children: Sequence[Child], what: str, **how: Any) -> list[dict[str, Any]]:
    """One order to all of them at once, and their answers."""
    for child in children:
        child.order(what, **how)
    return [child.answer() for child in children]


def serve(orders: Mapping[str, Order]) -> None:
    """Be a contender: ready when this is called. An answer tells the processor time that its order took."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever prints goes to the log, not among the answers
    print(json.dumps({"ready": True}), file=out)
    for line in sys.stdin:
        what, how = json.loads(line)
        before = cpu_seconds()
        found = orders[what](**how) or {}
        print(json.dumps({**found, "cpu": cpu_seconds() - before}), file=out)


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
