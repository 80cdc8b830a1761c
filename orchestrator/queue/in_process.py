"""The runner without a broker: threads of this process that do what workers and beat do elsewhere.

``orchestrator serve`` starts one. Two threads: one works, one looks after it every second. Counters and breakers live
in the process that delivers, so there is one such process per database: runners ask for a session lock, and those who
do not get it stand by until its holder is gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from orchestrator.clock import monotonic
from orchestrator.queue.nudge import LocalWake
from orchestrator.queue.rounds import guarded
from orchestrator.records.drain import Drained

SWEEP_EVERY = 1.0  # seconds
SCAN_EVERY = 300.0
STOPPING_TAKES = 30.0  # what is on the wire is filed first: a call takes ten seconds at most


class Seat(Protocol):
    """What makes a process the only one that works."""

    def held(self) -> bool:
        """Whether it is ours, after having tried to take it."""
        ...

    def leave(self) -> None:
        """Let another process have it."""
        ...


class Drain(Protocol):
    """What a runner asks of the engine."""

    def seat(self) -> Seat: ...
    @property
    def nudge(self) -> Callable[[], None]: ...
    def work(self) -> Drained: ...
    def sweep(self) -> object: ...
    def scan(self) -> object: ...


class Runner:
    """Moves everything that is due, from ``start`` to ``stop``. Also a context manager."""

    def __init__(self, work: Drain) -> None:
        self._work = work
        self._stopping = threading.Event()
        self._seated = threading.Event()
        self._called = work.nudge.event if isinstance(work.nudge, LocalWake) else threading.Event()
        self._seat = work.seat()
        self._threads: list[threading.Thread] = []

    @property
    def working(self) -> bool:
        """False while another process of the same database does the work."""
        return self._seated.is_set()

    def start(self) -> None:
        """Start the threads; a runner is started once."""
        if self._threads:
            msg = "this runner was started before; make another"
            raise RuntimeError(msg)
        for name, loop in (("care", self._care), ("work", self._until_stopped)):
            thread = threading.Thread(target=loop, name=f"runner-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, seconds: float = STOPPING_TAKES) -> bool:
        """Let every thread finish its batch. False when one took longer than ``seconds``."""
        self._stopping.set()
        self._called.set()
        ends = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, ends - monotonic()))
        stopped = not any(thread.is_alive() for thread in self._threads)
        if stopped:
            self._seat.leave()
        return stopped

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _care(self) -> None:
        next_scan = monotonic()
        while not self._stopping.is_set():
            if self._has_seat():
                self._guarded("sweep", self._work.sweep)
                if monotonic() >= next_scan:
                    next_scan = monotonic() + SCAN_EVERY
                    self._guarded("scan", self._work.scan)
                self._called.set()
            self._stopping.wait(SWEEP_EVERY)

    def _until_stopped(self) -> None:
        while True:
            self._called.wait()
            self._called.clear()  # before looking, so no call is missed
            if self._stopping.is_set():
                return
            self._guarded("work", self._until_nothing)

    def _until_nothing(self) -> None:
        while self._seated.is_set() and not self._stopping.is_set():
            done = self._work.work()
            if done.again_in is not None:
                self._stopping.wait(done.again_in)
            elif not done.more:
                return

    def _has_seat(self) -> bool:
        if self._seat.held():
            self._seated.set()
        else:
            self._seated.clear()
        return self._seated.is_set()

    def _guarded(self, task: str, call: Callable[[], object]) -> None:
        """One failure costs one round, never the thread."""
        well, _ = guarded(task, call)
        if not well:
            self._stopping.wait(SWEEP_EVERY)
