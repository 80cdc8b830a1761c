"""Keeps figures about the work in the database, where pages, ``doctor`` and Prometheus read them."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass, field
from importlib.metadata import version

from orchestrator import metrics
from orchestrator.errors import StoreError, TimedOut, Unavailable
from orchestrator.ids import new_key
from orchestrator.records.operations.work import ProcessReport
from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit


def count_work(services: ServiceContext) -> bool:
    """Count what waits, unless that was done a few seconds ago. One process does it at a time."""
    with services.store.begin() as transaction:
        return transaction.monitoring.count_work(transaction.instants())


def make_reports(services: ServiceContext) -> int:
    """Make the reports over a large base that are due, each in a transaction of its own; how many.

    One that cannot be made keeps the others from nothing.
    """
    with services.store.begin() as transaction:
        names = transaction.monitoring.due_reports(transaction.instants())
    made = 0
    for name in names:
        try:
            with services.store.begin() as transaction:
                made += transaction.monitoring.make_report(name, transaction.instants())
        except StoreError as error:
            if isinstance(error, Unavailable) and not isinstance(error, TimedOut):
                raise
            emit("report.failed", report=name.partition("/")[0], error=type(error).__name__)
    return made


@dataclass(kw_only=True)
class ProcessReporter:
    """Tells of the process it lives in: build it after a fork, one a process.

    What was counted before it was made is not told: it belongs to somebody else.
    """

    services: ServiceContext
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{new_key()[:8]}")
    _told: dict[metrics.Sample, float] = field(default_factory=metrics.samples)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(
        self, role: str, *, works: bool, broker_silent: bool = False, results_waiting: int = 0
    ) -> None:
        """Say that this process lives, how it is doing, and what it counted since the last time.

        Raises StoreError; what could not be told is told the next time.
        """
        with self._lock:
            now = metrics.samples()
            counted = {sample: value - self._told.get(sample, 0.0) for sample, value in now.items()}
            told = ProcessReport(
                process=self.name,
                role=role,
                version=version("orchestrator"),
                last_batch=metrics.seconds_since_last_batch(),
                state={
                    **metrics.process_state(),
                    "works": works,
                    "broker_silent": broker_silent,
                    "results_waiting": results_waiting,
                },
                counted={sample: more for sample, more in counted.items() if more},
            )
            with self.services.store.begin() as transaction:
                transaction.monitoring.report(told, transaction.instants().machine)
            self._told = now

    def leave(self) -> None:
        """This process ends in order: nobody need wonder where it is. Raises StoreError."""
        with self.services.store.begin() as transaction:
            transaction.monitoring.leave(self.name)
