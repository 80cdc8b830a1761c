"""The thread by which a process tells, every few seconds, that it lives, how it is doing and what it counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from orchestrator.errors import StoreError
from orchestrator.telemetry import emit

EVERY = 5.0  # seconds


class Heartbeat:
    """Calls ``tell`` from ``start`` to ``stop``, and ``leave`` at the end. Also a context manager.

    A database that is away costs figures and nothing else.
    """

    def __init__(
        self, tell: Callable[[], None], leave: Callable[[], None] = lambda: None, *, every: float = EVERY
    ) -> None:
        self._tell = tell
        self._leave = leave
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Tell what is left, and end."""
        self._stopping.set()
        self._thread.join(seconds)

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        self._once()
        while not self._stopping.wait(self._every):
            self._once()
        self._once()
        with suppress(StoreError):
            self._leave()

    def _once(self) -> None:
        try:
            self._tell()
        except Exception as error:  # noqa: BLE001 - figures alone are lost, and only until the next time
            emit("process.untold", error=type(error).__name__)
