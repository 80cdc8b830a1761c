"""(c) What a team writes by hand, as a contender: a real Celery worker on Redis, so many processes in its pool."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

import redis

from benchmarks.harness.children import ROOT
from benchmarks.harness.scratch import connect
from benchmarks.two_sends.by_hand_steps import OVER, SCHEMA, load
from orchestrator.settings import load_settings

_PATIENCE = 300.0  # seconds for one run
_LOOK = 0.02


def broker_url() -> str:
    """The Redis of the settings, or the one that listens on this machine."""
    return load_settings().redis or "redis://127.0.0.1:6379/0"


def missing() -> str | None:
    """Why it cannot take part, or None."""
    try:
        redis.Redis.from_url(broker_url(), socket_timeout=2).ping()
    except redis.RedisError as error:
        return f"no Redis answers ({type(error).__name__}); ORCHESTRATOR_REDIS_URL names one"
    return None


class ByHand:
    """A worker and its queue."""

    def __init__(self, url: str, pid: int) -> None:
        self._url, self._pid = url, pid
        self._first = self._count = 0

    def pids(self) -> Sequence[int]:
        return [self._pid]

    def load(self, first: int, count: int) -> None:
        load(self._url, first, count)
        self._first, self._count = first, count

    def run(self) -> float:
        from benchmarks.two_sends.by_hand_tasks import app  # noqa: PLC0415 - reads the environment

        began = perf_counter()
        app.send_task("by_hand.begin", [self._first, self._count])
        wait_until(self._url, OVER)
        return perf_counter() - began


def wait_until(url: str, statement: str) -> None:
    """Look every 20 ms whether ``statement`` is true; RuntimeError when it is not within five minutes."""
    ends = perf_counter() + _PATIENCE
    with connect(url) as connection:
        while True:
            row = connection.execute(statement).fetchone()
            if row is not None and row[0]:
                return
            if perf_counter() > ends:
                msg = f"not done within {_PATIENCE:.0f} s"
                raise RuntimeError(msg)
            time.sleep(_LOOK)


@contextmanager
def opened(url: str, processes: int) -> Iterator[ByHand]:
    with connect(url) as connection:
        connection.execute(SCHEMA)
    queue = f"by_hand_{secrets.token_hex(6)}"
    told = {"BENCHMARK_QUEUE": queue, "BENCHMARK_BROKER_URL": broker_url(), "BENCHMARK_DATABASE_URL": url}
    os.environ.update(told)
    for name in [name for name in sys.modules if name.endswith("by_hand_tasks")]:
        del sys.modules[name]  # the application is made anew for this queue
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(
            [
                sys.executable, "-m", "celery", "--app", "benchmarks.two_sends.by_hand_tasks", "worker",
                f"--concurrency={processes}", "--pool=prefork", f"--queues={queue}", f"--hostname={queue}@%h",
                "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR",
            ],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield ByHand(url, worker.pid)
        finally:
            worker.terminate()
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            _forget(queue)


def _forget(queue: str) -> None:
    """Leave nothing of the queue in the broker."""
    with redis.Redis.from_url(broker_url()) as broker:
        broker.delete(queue, f"_kombu.binding.{queue}")
        for name in broker.scan_iter(match=f"*{queue}*"):
            broker.delete(name)
