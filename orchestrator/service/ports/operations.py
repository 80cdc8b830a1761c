"""What operating asks of the store: what is published, what is set aside, how fast time passes, what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from orchestrator.clock import Instants
from orchestrator.records.operations.work import ProcessReport
from orchestrator.records.playbook_version import PlaybookVersion


class PlaybookStore(Protocol):
    """What is published."""

    def publish(self, version: PlaybookVersion, now: datetime) -> bool:
        """Store a version. True if it is new; Conflict for other content under a known version."""
        ...

    def publish_policy(self, definition: Mapping[str, Any], now: datetime) -> None:
        """Make this the account's policy; if it is another one, whatever waits is asked by it."""
        ...

    def is_published(self, playbook: str) -> bool:
        """Whether a playbook of this name has any version."""
        ...

    def pause(self, playbook: str, *, reason: str, now: datetime) -> None:
        """Let nobody in until :meth:`resume`; pausing twice keeps the first instant and reason."""
        ...

    def resume(self, playbook: str) -> None:
        """Let people in again."""
        ...


class ParkingStore(Protocol):
    """Who was set aside because deciding failed."""

    def park(
        self, customer_id: int, *, reason: str, detail: str, now: datetime, enrollment_id: int = 0
    ) -> None:
        """Set one enrollment aside, with the id 0 the whole customer; what is parked already keeps the first
        reason."""
        ...

    def release(self, customer_id: int, enrollment_id: int) -> bool:
        """Let one go on, with the id 0 the whole customer; False when it was not parked."""
        ...


class ClockStore(Protocol):
    """The row that every process reads business time from."""

    def set_rate(self, rate: float) -> float:
        """Let business time pass ``rate`` times as fast from now on, without a jump; the rate until now."""
        ...

    def start_at(self, business: datetime) -> None:
        """Go on from this instant at rate 1; every lease is over."""
        ...


class HistoryStore(Protocol):
    """What is kept for a while."""

    def due_once_a_day(self, chore: str, now: datetime) -> bool:
        """Whether the chore has not been begun for a day; whoever hears yes does it."""
        ...

    def prune(self, table: str, *, before: datetime, block: int) -> tuple[int, int | None]:
        """Delete what is older in one stretch of a table: how many, and where the next begins."""
        ...


class MonitoringStore(Protocol):
    """Figures about the work, kept for whoever asks."""

    def count_work(self, now: Instants) -> bool:
        """Count what waits, unless somebody did a few seconds ago or does now. Whether it was done."""
        ...

    def report(self, told: ProcessReport, machine: datetime) -> None:
        """Keep what a process tells of itself, and add what it counted."""
        ...

    def leave(self, process: str) -> None:
        """This process ends in order."""
        ...

    def due_reports(self, now: Instants) -> Sequence[str]:
        """The reports over a large base whose turn it is."""
        ...

    def make_report(self, name: str, now: Instants) -> bool:
        """Make one and keep it for the pages; False when somebody makes one now."""
        ...
