"""What consent asks of the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.records.consent import Consent, ConsentEntry, ConsentHolder, NewConsentRow
from orchestrator.records.preferences import Stopped, StopScope


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


class WithdrawalStore(Protocol):
    """What a withdrawal reads and writes beside the ledger: nothing that facts, state or definitions can spoil."""

    def lock(self, ids: Collection[int], *, wait: bool) -> list[int]:
        """Lock these customers in one statement in id order: those that exist; without ``wait`` those that are free."""
        ...

    def lock_key(self, key: str) -> int | None:
        """Lock the customer with the product's key, waiting; None for an unknown or erased one."""
        ...

    def holders(self, ids: Collection[int], now: datetime) -> list[ConsentHolder]:
        """These locked customers in id order, without the erased."""
        ...

    def stop(self, scopes: Sequence[StopScope], now: datetime, *, notices: Collection[str]) -> list[Stopped]:
        """Settle what is planned and hide what is unseen in each scope of a locked customer, and tell its enrollments:
        what was stopped, in the order of ``scopes``. ``notices`` are topics that promote nothing."""
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
        """Lift the snoozes of a locked customer, and have what a cooldown held back asked about at once; cooldowns that
        enrollments set stay."""
        ...
