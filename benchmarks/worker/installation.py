"""Worker and beat over a scratch database, with a Redis of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import redis

from benchmarks.harness.children import ROOT
from benchmarks.harness.cpu_time import family
from benchmarks.two_sends import workload

_STARTS_IN = 20.0  # seconds
_ENDS_IN = 20.0
_FORKS_IN = 90.0


def missing() -> str | None:
    """Why there can be no worker, or None."""
    return None if shutil.which("redis-server") else "no redis-server is installed on this machine"


@contextmanager
def installation(url: str, *, processes: int) -> Iterator[dict[str, int]]:
    """A worker with so many processes and a beat; their pids by name."""
    with ExitStack() as stack:
        broker = stack.enter_context(_redis())
        given = {
            "DATABASE_URL": url,
            "BROKER_URL": broker,
            "SECRET_KEYS": workload.SIGNING_KEY,
            "PUBLIC_URL": workload.BASE_URL,
            "LOG_LEVEL": "error",
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        told = {
            **clean,
            "PYTHONPATH": str(ROOT),
            **{f"ORCHESTRATOR_{name}": value for name, value in given.items()},
        }
        pids = {}
        for name, arguments in (("worker", ["--concurrency", str(processes)]), ("beat", [])):
            command = [sys.executable, "-m", "orchestrator.cli.app", name, *arguments]
            started = stack.enter_context(_process(command, told))
            pids[name] = started.pid
            if name == "worker":
                worker = started
        _wait_for_children(worker, processes)
        yield pids


def _wait_for_children(worker: subprocess.Popen[bytes], processes: int) -> None:
    """Until the worker has forked them: it imports everything before."""
    ends = time.monotonic() + _FORKS_IN
    while len(family(worker.pid)) <= processes:
        if time.monotonic() > ends or worker.poll() is not None:
            msg = f"the worker did not start {processes} processes in {_FORKS_IN:.0f} s, exit code {worker.poll()}"
            raise RuntimeError(msg)
        time.sleep(0.1)


@contextmanager
def _process(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_IN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _redis() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
        with _process(command), redis.Redis(port=port, socket_timeout=2) as client:
            ends = time.monotonic() + _STARTS_IN
            while True:
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    if time.monotonic() > ends:
                        raise
                    time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
