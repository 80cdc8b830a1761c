"""What consent asks of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.records.consent import Consent, ConsentEntry, NewConsentRow


class ConsentStore(Protocol):
    """The ledger of what was said, and the present state derived from it."""

    def append(self, rows: Sequence[NewConsentRow]) -> set[tuple[int, str]]:
        """Append to the ledger of locked customers and derive their state; the (customer, source id) pairs that were
        new. A fixed number of statements."""
        ...

    def said(self, customer_id: int, now: datetime) -> list[Consent]:
        """The present state at ``now``: what is over gives way to what stood before."""
        ...

    def history(self, customer_id: int) -> list[ConsentEntry]:
        """Every ledger row, in the order in which they were said."""
        ...

    def expire(self, now: datetime, *, limit: int) -> int:
        """Lock and write down up to ``limit`` grants whose time is over; how many."""
        ...


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
