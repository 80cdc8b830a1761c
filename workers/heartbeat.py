"""Each process of a worker tells of itself, whether or not it is given tasks."""

from __future__ import annotations

from celery.signals import worker_process_init, worker_process_shutdown

from orchestrator.queue.heartbeat import Heartbeat
from workers import process
from workers.self_sweep import silent

_mine: Heartbeat | None = None


def _tell() -> None:
    process.engine().report("worker", works=True, broker_silent=silent())


def _leave() -> None:
    process.engine().reporter.leave()


def _begin(**_: object) -> None:
    global _mine  # noqa: PLW0603 - the one thread of this process
    _mine = Heartbeat(_tell, _leave)
    _mine.start()


def _end(**_: object) -> None:
    if _mine is not None:
        _mine.stop()


worker_process_init.connect(_begin, weak=False)
worker_process_shutdown.connect(_end, weak=False)
