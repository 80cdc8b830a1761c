"""What operating asks of the store: publishing, and letting go of what is older than it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from orchestrator.records.playbook_version import PlaybookVersion


class PlaybookStore(Protocol):
    """What is published."""

    def publish(self, version: PlaybookVersion, now: datetime) -> bool:
        """Store a version. True if it is new; Conflict for other content under a known version."""
        ...

    def publish_policy(self, definition: Mapping[str, Any], now: datetime) -> None:
        """Make this the account's policy; if it is another one, whatever waits is asked by it."""
        ...


class HistoryStore(Protocol):
    """What is kept for a while."""

    def due_once_a_day(self, chore: str, now: datetime) -> bool:
        """Whether the chore has not been begun for a day; whoever hears yes does it."""
        ...

    def prune(self, table: str, *, before: datetime, block: int) -> tuple[int, int | None]:
        """Delete what is older in one stretch of a table: how many, and where the next begins."""
        ...
