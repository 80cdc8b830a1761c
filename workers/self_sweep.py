"""While the broker is silent each worker sweeps by itself, so an outage or a return of the broker costs two seconds.

Celery's own way back from an outage waits longer the longer it lasted, up to half a minute; and a broker that accepts
connections and says nothing is not noticed for as long. The work is not the broker's: it lies in PostgreSQL, which
hands it out under locks. So every process of a worker runs a thread that looks for work when none of them was given a
task for a while. A worker that merely hears little, beside many others, asks once a second in vain.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import Protocol

from celery.signals import worker_process_init, worker_process_shutdown

from orchestrator.clock import monotonic
from orchestrator.queue.rounds import guarded
from orchestrator.telemetry import emit
from workers import process

SILENT_FOR = 2.0  # seconds of machine time without a task in any process of this worker
SWEEP_EVERY = 1.0
SCAN_EVERY = 300.0
STOPPING_TAKES = 30.0  # what is on the wire is filed first: a call takes ten seconds at most

_heard_at = multiprocessing.RawValue("d", 0.0)  # made before the fork: the processes of a worker share it


class Sweeping(Protocol):
    """What a thread asks of the engine; an :class:`orchestrator.engine.Engine` has it."""

    def sweep(self) -> int: ...
    def scan(self) -> int: ...
    def drain(self, *, seconds: float | None = None) -> object: ...


def heard() -> None:
    """A task began: the broker speaks to this worker."""
    _heard_at.value = monotonic()


def silent() -> bool:
    """Whether no process of this worker was given a task for :data:`SILENT_FOR`."""
    return monotonic() - float(_heard_at.value) >= SILENT_FOR


class SelfSweep:
    """The thread of one process: sweeps, scans and drains while the broker is silent, from ``start`` to ``stop``."""

    def __init__(self, engine: Callable[[], Sweeping], *, slice_seconds: float) -> None:
        self._engine = engine
        self._slice = slice_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="self-sweep", daemon=True)

    def start(self) -> None:
        heard()  # a worker that has just begun has not been left alone yet
        self._thread.start()

    def stop(self, seconds: float = STOPPING_TAKES) -> bool:
        """Let the batch under way finish. False when it took longer than ``seconds``."""
        self._stopping.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        told = False
        next_scan = monotonic()
        while not self._stopping.wait(SWEEP_EVERY):
            if not silent():
                told = False
                continue
            if not told:
                told = True
                emit("broker.silent", seconds=SILENT_FOR)
            scans = monotonic() >= next_scan
            if scans:
                next_scan = monotonic() + SCAN_EVERY
            self._guarded(scans=scans)

    def _guarded(self, *, scans: bool) -> None:
        """One failure costs one round, never the thread."""
        guarded("self_sweep", lambda: self._engine().sweep())
        if scans:
            guarded("self_scan", lambda: self._engine().scan())
        guarded("self_sweep", lambda: self._engine().drain(seconds=self._slice))


_mine: SelfSweep | None = None


def _begin(**_: object) -> None:
    global _mine  # noqa: PLW0603 - the one thread of this process
    _mine = SelfSweep(process.engine, slice_seconds=process.settings().drain_seconds)
    _mine.start()


def _end(**_: object) -> None:
    if _mine is not None:
        _mine.stop()


worker_process_init.connect(_begin, weak=False)
worker_process_shutdown.connect(_end, weak=False)
