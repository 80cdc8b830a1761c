"""The fake provider of the tests as a process of its own, slow on demand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.harness.children import ROOT

_STARTS_IN = 30.0  # seconds


class Provider:
    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid
        self.keys: dict[str, str] = {}

    def settings(self) -> dict[str, str]:
        """What makes the engine send its email here."""
        return {
            "sendgrid_api_key": self.keys["api_key"],
            "sendgrid_base_url": self.url,
            "email_from": "hello@shop.example",
        }

    def answer_after(self, milliseconds: float) -> None:
        """Forget everything, and take so long from now on."""
        self.told("clear")
        self.told("faults", kind="slow", times=None, seconds=milliseconds / 1000)

    def told(self, what: str, **body: Any) -> Mapping[str, Any]:
        data = json.dumps(body).encode() if what != "keys" else None
        with urlopen(Request(f"{self.url}/_fake/{what}", data=data), timeout=20) as answer:  # our own process
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider on a free port. It does not check what it gets against API descriptions: that costs processor time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.provider", "--port", str(port)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ORCHESTRATOR_SHARED": os.devnull},
    )  # fmt: skip
    try:
        found = Provider(f"http://127.0.0.1:{port}", process.pid)
        ends = time.monotonic() + _STARTS_IN
        while not found.keys:
            with suppress(OSError):
                found.keys = dict(found.told("keys"))
            if time.monotonic() > ends or process.poll() is not None:
                msg = "the fake provider does not answer"
                raise RuntimeError(msg)
            time.sleep(0.05)
        yield found
    finally:
        process.kill()
        process.wait()
