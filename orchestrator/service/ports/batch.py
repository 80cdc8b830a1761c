"""What a batch asks of the store: who is taken, what is read of them, what is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import CustomerState
from orchestrator.records.drain import InterruptedCustomer


class ClaimStore(Protocol):
    """The locks on customers: whoever changes anything about one holds it until the commit."""

    def due(self, *, now: datetime, machine: datetime, limit: int, capacity: Mapping[str, int]) -> list[int]:
        """Lock customers with anything due, passing over those held elsewhere; ids in the order of their turns.

        Answers, live signals, timers, each provider's messages (no more than its ``capacity``), hand-overs to be
        settled and background take turns, so that none waits for the end of another.
        """
        ...

    def customers(self, *, now: datetime, limit: int) -> list[int]:
        """As :meth:`due`, of inboxes and timers alone."""
        ...

    def count_messages(
        self, *, now: datetime, machine: datetime, providers: Sequence[str], limit: int
    ) -> dict[str, int]:
        """How many messages are due at each of these providers, counting to ``limit``; locks nobody."""
        ...

    def with_messages(
        self, *, now: datetime, machine: datetime, capacity: Mapping[str, int], limit: int
    ) -> list[int]:
        """As :meth:`due`, of messages alone."""
        ...

    def these(self, ids: Collection[int], *, wait: timedelta | None = None) -> list[int]:
        """Lock these customers in one statement in id order, waiting; the ids that exist.

        Raises Contended when a lock does not come, after ``wait`` where it is given.
        """
        ...

    def free(self, ids: Collection[int]) -> list[int]:
        """Lock those of these customers whom nobody holds, in id order; their ids."""
        ...

    def end_silent(self) -> int:
        """End the sessions of stopped processes, with all they hold; how many."""
        ...

    def overdue(self, *, before: datetime, limit: int) -> list[int]:
        """Customers whose work has waited since ``before`` because somebody holds them; they are not locked."""
        ...


class BatchStore(Protocol):
    """Locked customers, read and written together."""

    def load(
        self, ids: Sequence[int], now: datetime, *, starting: Sequence[str] = ()
    ) -> tuple[list[CustomerState], Catalogue]:
        """Read everything about these locked customers, in order, and the definitions that decide about them.

        ``starting`` names playbooks about to be started. A fixed number of statements.
        """
        ...

    def save(self, customers: Sequence[CustomerState], now: datetime) -> None:
        """Write what changed. A fixed number of statements."""
        ...

    def new_enrollment_id(self) -> int:
        """The id of an enrollment that is about to begin."""
        ...

    def new_message_id(self) -> int:
        """The id of a message that is about to be planned."""
        ...

    def done(self) -> None:
        """With this commit nobody is in hand: see :meth:`orchestrator.service.ports.Store.attempt`."""
        ...

    def take_interrupted(self, *, before: datetime) -> Sequence[InterruptedCustomer]:
        """Whom processes left behind that were last heard of before ``before`` (machine time); given out once."""
        ...
