"""The threads that call providers, and the places for what may be marked.

A mark is committed before the call it allows, and a process that is killed in between leaves a message uncertain that
was never sent. So no more is marked than there are places: one for each thread that may call, and no more than
:data:`NOT_BEGUN` calls whose mark is committed and that have not begun. Threads are added as calls take longer, up to a
ceiling, so that the rate holds as long as the ceiling divided by the latency of the providers allows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from orchestrator.clock import monotonic

NOT_BEGUN = 16
WORTHWHILE = 8  # places: a transaction for less of them costs more than waiting for others to become free
PATIENCE = 0.05  # seconds that others, who need no place, may be kept waiting for that


class SendPool:
    """One per process."""

    def __init__(self, threads: int) -> None:
        self._ceiling = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="send")
        self._taken = 0  # places: reserved, marked, or on the wire
        self._begun = 0  # of these, calls under way
        self._changed = threading.Condition()

    def reserve(self, wanted: int, *, patience: float = PATIENCE) -> int:
        """Take up to ``wanted`` places for one transaction: maybe none. Waits ``patience`` seconds at most for a
        worthwhile number."""
        ends = monotonic() + patience
        enough = min(wanted, WORTHWHILE, self._ceiling)
        with self._changed:
            while self._free() < enough and self._changed.wait(ends - monotonic()):
                pass
            places = max(0, min(wanted, self._free()))
            self._taken += places
            return places

    def release(self, places: int) -> None:
        """These were not needed."""
        with self._changed:
            self._taken -= places
            self._changed.notify_all()

    def submit(self, call: Callable[[], None]) -> None:
        """Use one place: ``call`` begins as soon as a thread is free."""
        self._threads.submit(self._run, call)

    def full(self) -> bool:
        """Whether no more calls may begin now."""
        with self._changed:
            return self._free() <= 0

    def idle(self) -> bool:
        """Whether no place is taken."""
        with self._changed:
            return self._taken == 0

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is on the wire; False when that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken == 0, seconds)

    def close(self) -> None:
        """Let the threads go; calls under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=False)

    def _free(self) -> int:
        return min(self._ceiling - self._taken, NOT_BEGUN - (self._taken - self._begun))

    def _run(self, call: Callable[[], None]) -> None:
        with self._changed:
            self._begun += 1
            self._changed.notify_all()
        try:
            call()
        finally:
            with self._changed:
                self._begun -= 1
                self._taken -= 1
                self._changed.notify_all()
