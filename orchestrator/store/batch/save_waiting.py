"""Writes about enrollments that do not go on: what they missed, and those whose row was found unreadable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from orchestrator.core.customer_state import CustomerState
from orchestrator.records.enrollment import Parked
from orchestrator.store.parked import park

MOST_MISSED = 1000  # events of one enrollment; what comes after them is not kept

_MISS = text("""
UPDATE enrollments SET missed = coalesce(missed, '[]') || :events
 WHERE customer_id = :customer_id AND id = :enrollment_id
   AND jsonb_array_length(coalesce(missed, '[]')) + jsonb_array_length(:events) <= :most
""").bindparams(bindparam("events", type_=JSONB))
# Due at once for whoever may go on with it: claims pass by what is parked, and versions their process cannot read.
_DUE = text("""
UPDATE timers SET due_at = least(due_at, :now) WHERE customer_id = :customer_id AND enrollment_id = :enrollment_id
""")
_CAUGHT_UP = text(
    "UPDATE enrollments SET missed = NULL WHERE customer_id = :customer_id AND id = :enrollment_id"
)


def save_waiting(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    """No statement for customers whose enrollments all go on, as nearly all do."""
    unreadable: list[Parked] = []
    for customer in customers:
        for waiting in customer.waiting.values():
            who = {"customer_id": customer.customer_id, "enrollment_id": waiting.enrollment_id}
            if waiting.missed:
                connection.execute(_MISS, {**who, "events": waiting.missed, "most": MOST_MISSED})
                connection.execute(_DUE, {**who, "now": now})
            if waiting.unreadable is not None:
                unreadable.append(
                    Parked(
                        customer_id=customer.customer_id,
                        enrollment_id=waiting.enrollment_id,
                        reason="unreadable",
                        detail=waiting.unreadable,
                        at=now,
                    )
                )
        for work in customer.enrollments.values():
            if work.caught_up:
                who = {"customer_id": customer.customer_id, "enrollment_id": work.enrollment.enrollment_id}
                connection.execute(_CAUGHT_UP, who)
    if unreadable:
        park(connection, unreadable)
