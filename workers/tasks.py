"""The tasks: nothing in, one service call repeated until nothing is due or the time slice is over, nothing out.

Each may be lost, doubled, late or run beside itself: the services take customers under locks and see what is due.
What fails ends a task quietly and is told in the log; the next sweep tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from celery import shared_task

from orchestrator.clock import monotonic
from orchestrator.queue.rounds import guarded
from orchestrator.queue.wakes import TASKS, Wake
from orchestrator.records.drain import Drained
from workers.process import engine, publisher, settings
from workers.self_sweep import heard

T = TypeVar("T")

WORTH_HELP = 50  # customers in one batch: there may be more than one process is equal to
SCAN_TIME_LIMIT = 3600  # a scan walks the whole base; the others end with their slice


@shared_task(name=TASKS["advance"])  # type: ignore[untyped-decorator]
def advance() -> None:
    """Whatever is due: inboxes, timers, messages."""
    _work("advance", beside="deliver")


@shared_task(name=TASKS["deliver"])  # type: ignore[untyped-decorator]
def deliver() -> None:
    """The same by another hand, while there is more than one process is equal to."""
    _work("deliver", beside="advance")


@shared_task(name=TASKS["sweep"])  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Every second: care for what batches pass over, and wake the others, whatever became of their wake-ups or of
    the care itself."""
    _begun("sweep")
    try:
        _reaching(lambda: engine().sweep())
    finally:
        publisher().wake("advance")


@shared_task(name=TASKS["scan"], time_limit=SCAN_TIME_LIMIT)  # type: ignore[untyped-decorator]
def scan() -> None:
    """Start whoever is due by a date, a drop or a calendar."""
    _begun("scan")
    if _reaching(lambda: engine().scan()):
        publisher().wake("advance")


def _work(wake: Wake, *, beside: Wake) -> None:
    _begun(wake)

    def step() -> Drained:
        done = engine().work()
        if done.customers >= WORTH_HELP:
            publisher().wake(beside)
        return done

    _in_slices(wake, step)


def _begun(wake: Wake) -> None:
    heard()
    publisher().begun(wake)


def _in_slices(wake: Wake, step: Callable[[], Drained]) -> None:
    """Repeat ``step`` while more is due, or soon will be; when the slice is over, leave the rest to another wake-up."""
    ends = monotonic() + settings().drain_seconds

    def drain() -> bool:
        while True:
            done = step()
            wait = done.again_in or 0.0
            if not (done.more or wait):
                return False
            if monotonic() + wait >= ends:
                return True
            time.sleep(wait)

    if _reaching(drain):
        publisher().wake(wake)


def _reaching(call: Callable[[], T]) -> T | None:
    """What ``call`` gives; None when it failed: a task never dies of what the next one may find mended."""
    return guarded("task", call)[1]
