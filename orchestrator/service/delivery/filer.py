"""The filing thread of a process: keeps what providers said until it is stored, however long the database is away.

Answers belong to the process and not to the task whose batch made the call: a task may end, and be killed for taking
too long, while the last of its messages is on the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from orchestrator.clock import monotonic
from orchestrator.errors import Unavailable
from orchestrator.service.delivery.file_results import CompletedSend
from orchestrator.telemetry import emit

AT_ONCE = 500  # answers in one transaction
FIRST_WAIT, LONGEST_WAIT = 0.05, 5.0  # seconds between two tries
TOLD_EVERY = 10.0  # seconds between two log lines about the same outage


class File(Protocol):
    def __call__(self, completed: Sequence[CompletedSend]) -> Sequence[CompletedSend]:
        """Store these answers; those that must be tried again. Raises Unavailable."""
        ...


class Filer:
    """A queue and its thread, which begins with the first answer."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._waiting: list[CompletedSend] = []
        self._in_hand = 0
        self._closing = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._told = 0.0

    def add(self, completed: Iterable[CompletedSend]) -> None:
        """Answers; they are stored soon."""
        with self._changed:
            self._waiting.extend(completed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="filing", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def backlog(self) -> int:
        """Answers that are not stored yet."""
        with self._changed:
            return len(self._waiting) + self._in_hand

    def wait_empty(self, seconds: float) -> bool:
        """Wait until everything is stored; False when that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._in_hand, seconds)

    def close(self) -> int:
        """End the thread; how many answers are not stored, whose messages become uncertain."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            return len(self._waiting) + self._in_hand

    def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    return
                some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                self._in_hand = len(some)
            left = self._try(some)
            with self._changed:
                self._in_hand = 0
                self._waiting = [*left, *self._waiting]
                self._changed.notify_all()
                wait = min(LONGEST_WAIT, wait * 2) if len(left) == len(some) else FIRST_WAIT
                if left:
                    self._changed.wait_for(lambda: self._closing, wait)

    def _try(self, some: Sequence[CompletedSend]) -> Sequence[CompletedSend]:
        try:
            return self._file(some)
        except Unavailable as error:
            if monotonic() - self._told >= TOLD_EVERY:
                self._told = monotonic()
                emit("database.unavailable", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - an answer is never dropped for a fault of ours
            emit("batch.failed", task="file", customers=len(some), error=type(error).__name__)
        return some
