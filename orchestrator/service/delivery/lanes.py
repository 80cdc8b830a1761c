"""Whom a batch takes: the kinds of work, as claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.clock import Instants
from orchestrator.service.ports import Transaction


class Lane(Protocol):
    """Locks customers who have something to do, ``limit`` at most, and gives their ids in the order of their turn.

    ``capacity`` are the providers that may be given messages now, and how many.
    """

    def __call__(
        self, transaction: Transaction, instants: Instants, capacity: Mapping[str, int], limit: int, /
    ) -> Sequence[int]: ...


def everything(
    transaction: Transaction, instants: Instants, capacity: Mapping[str, int], limit: int
) -> Sequence[int]:
    """Inboxes, timers, and messages at providers that have room."""
    return transaction.claims.due(
        now=instants.business, machine=instants.machine, limit=limit, capacity=capacity
    )


def enrollments_alone(
    transaction: Transaction, instants: Instants, _: Mapping[str, int], limit: int
) -> Sequence[int]:
    """Inboxes and timers."""
    return transaction.claims.customers(now=instants.business, limit=limit)


def messages_alone(
    transaction: Transaction, instants: Instants, capacity: Mapping[str, int], limit: int
) -> Sequence[int]:
    """Messages at providers that have room."""
    return transaction.claims.with_messages(
        now=instants.business, machine=instants.machine, capacity=capacity, limit=limit
    )
