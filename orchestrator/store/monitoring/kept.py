"""Figures as they are written, on one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from orchestrator.clock import Instants
from orchestrator.records.operations.work import ProcessReport
from orchestrator.store.monitoring import count, processes
from orchestrator.store.reports import snapshots


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresMonitoring:
    """:class:`~orchestrator.service.ports.operations.MonitoringStore`."""

    connection: Connection

    def count_work(self, now: Instants) -> bool:
        return count.count_work(self.connection, now)

    def report(self, told: ProcessReport, machine: datetime) -> None:
        processes.report(self.connection, told, machine)

    def leave(self, process: str) -> None:
        processes.leave(self.connection, process)

    def due_reports(self, now: Instants) -> list[str]:
        return snapshots.due(self.connection, now)

    def make_report(self, name: str, now: Instants) -> bool:
        return snapshots.make(self.connection, name, now)
