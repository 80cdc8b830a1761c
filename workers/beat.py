"""When workers are woken without anything having happened: every second, and for the scans.

Both tasks may run at any time and any number of times, so beats need no leader: run two for safety.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

from orchestrator.queue.wakes import TASKS
from orchestrator.telemetry import emit
from workers.process import publisher

SWEEP_EVERY = timedelta(seconds=1)
SCAN_EVERY = timedelta(minutes=5)  # who was scanned today is not scanned again; a missed one is made up for

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": TASKS["sweep"], "schedule": SWEEP_EVERY},
    "scan": {"task": TASKS["scan"], "schedule": SCAN_EVERY},
}
_WAKES = {task: wake for wake, task in TASKS.items()}


class Waker(Scheduler):  # type: ignore[misc]
    """Celery's scheduler without a file, publishing as every wake-up is published.

    A beat whose workers are away does not fill the broker, and one whose broker is away waits no longer than half a
    second for it.
    """

    producer = None  # no connection of its own: the publisher has one

    def apply_async(
        self, entry: ScheduleEntry, producer: object = None, advance: bool = True, **_: object
    ) -> None:
        if advance:
            entry = self.reserve(entry)
        publisher().wake(_WAKES[entry.task])

    def close(self) -> None:
        """The end of beat: Celery has no signal for it."""
        emit("process.stopping", role="beat", reason="told to stop")
        super().close()
