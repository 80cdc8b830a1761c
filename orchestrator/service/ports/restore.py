"""What dealing with a restored backup asks of the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.records.restore import LoggedWithdrawal, RestoreState


class RestoreStore(Protocol):
    """Restores as they are kept, and what they ask of whole tables."""

    def latest(self) -> RestoreState | None:
        """The last one; None where this database never was put back."""
        ...

    def begin(self, *, since: datetime, until: datetime) -> RestoreState:
        """The restore of the dump of ``since``: taken up where it was left, else begun."""
        ...

    def move_sequences(self, restore: RestoreState, now: datetime) -> int:
        """Move every sequence past any id that may have been given since; how many."""
        ...

    def count_at_least(self, number: int) -> None:
        """Let the marks of the withdrawal log go on behind ``number``."""
        ...

    def moving(self, *, after: int, limit: int) -> list[int]:
        """The next customers with a live enrollment or an unsettled message, in id order."""
        ...

    def count_moving(self) -> int:
        """How many customers :meth:`moving` goes through."""
        ...

    def doubt(self, steps: Mapping[tuple[int, int], Collection[str]]) -> None:
        """Keep which steps of (customer, enrollment) may have spoken before."""
        ...

    def doubt_unread(self, customer_id: int, *, reason: str, free_at: datetime) -> int:
        """Doubt everything of a customer whose rows cannot be read, by SQL alone; how many messages."""
        ...

    def passed(self, restore_id: int, customer_id: int) -> None:
        """Everybody up to this customer is dealt with, in this transaction."""
        ...

    def enrollments_done(self, restore_id: int, now: datetime) -> None:
        """Everybody is dealt with."""
        ...

    def keys(self, *, after: int, limit: int) -> list[tuple[int, str, str]]:
        """The next customers in id order: id, key and the key's hash."""
        ...

    def addresses(self, *, after: tuple[int, str], limit: int) -> list[tuple[int, str, str, str]]:
        """The next contact points in order: customer, key, channel and the address's hash."""
        ...

    def count_customers(self) -> int:
        """How many customers there are, erased ones too."""
        ...

    def said_no(self, customer_ids: Collection[int]) -> set[tuple[int, str, str, datetime]]:
        """The withdrawals in these customers' ledgers: (customer, channel, topic, when)."""
        ...

    def await_people(self, entries: Sequence[LoggedWithdrawal]) -> int:
        """Keep withdrawals of people this database does not know, for when they come back; how many people are new."""
        ...

    def bury(self, entries: Sequence[LoggedWithdrawal]) -> None:
        """Nobody of these keys and addresses is let in again."""
        ...

    def add(self, restore_id: int, numbers: Mapping[str, int]) -> None:
        """Add to the numbers of the report."""
        ...

    def finish(self, restore_id: int, now: datetime, *, held: bool, accepted_by: str | None) -> None:
        """Let the work go on, promotion too unless ``held``."""
        ...
