"""What consent asks of the store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class SnoozeStore(Protocol):
    """Cooldowns of everything promotional that customers asked for themselves."""

    def begin(self, customer_id: int, *, starts_at: datetime, ends_at: datetime) -> None:
        """No enrollment sets it, and none lifts it."""
        ...

    def until(self, customer_id: int, now: datetime) -> datetime | None:
        """The end of the longest snooze in force."""
        ...

    def end(self, customer_id: int, now: datetime) -> None:
        """Lift the customer's snoozes; cooldowns that enrollments set stay."""
        ...
