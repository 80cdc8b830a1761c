"""Enrollments, or whole customers, set aside because deciding about them failed: shown, and let go by a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from orchestrator.records.enrollment import Parked
from orchestrator.store.sql.bulk import delete_rows, insert_rows
from orchestrator.store.sql.tables import customers, parked

WHOLE_CUSTOMER = 0
# Messages of a parked enrollment are looked at no more, until this is done.
_FREE = text("""
UPDATE dispatch d SET free_at = '1970-01-01' FROM messages m
 WHERE m.customer_id = d.customer_id AND m.id = d.message_id AND m.status = 'planned'
   AND d.customer_id = :customer_id AND m.enrollment_id = :enrollment_id
""")
_LONGEST = 2000  # of a detail: a traceback's end says enough


@dataclass(frozen=True, kw_only=True)
class PostgresParking:
    """Who is set aside, on one connection."""

    connection: Connection

    def park(
        self,
        customer_id: int,
        *,
        reason: str,
        detail: str,
        now: datetime,
        enrollment_id: int = WHOLE_CUSTOMER,
    ) -> None:
        """Set one enrollment aside, or a whole customer; what is parked already keeps the first reason."""
        one = Parked(
            customer_id=customer_id, enrollment_id=enrollment_id, reason=reason, detail=detail, at=now
        )
        park(self.connection, [one])

    def release(self, customer_id: int, enrollment_id: int) -> bool:
        """Let one go on, with the id 0 the whole customer; False when it was not parked."""
        return release(self.connection, [(customer_id, enrollment_id)]) > 0


def park(connection: Connection, items: Sequence[Parked]) -> None:
    """Set aside; what is parked already keeps its first reason. One statement."""
    rows = {
        (item.customer_id, item.enrollment_id): {
            "customer_id": item.customer_id,
            "enrollment_id": item.enrollment_id,
            "reason": item.reason,
            "detail": item.detail.replace("\x00", "\ufffd").encode(errors="replace").decode()[-_LONGEST:],
            "at": item.at,
        }
        for item in reversed(items)
    }
    insert_rows(connection, parked, list(rows.values()), on_conflict="nothing")


def release(connection: Connection, items: Collection[tuple[int, int]]) -> int:
    """Let (customer_id, enrollment_id) go on; how many were parked."""
    rows = [
        {"customer_id": customer_id, "enrollment_id": enrollment_id} for customer_id, enrollment_id in items
    ]
    for one in items:
        connection.execute(_FREE, {"customer_id": one[0], "enrollment_id": one[1]})
    return delete_rows(connection, parked, rows, key=("customer_id", "enrollment_id"))


def listed(connection: Connection, *, customer_id: int | None = None, most: int = 200) -> list[Parked]:
    """What is parked, newest first."""
    found = (
        select(parked).order_by(parked.c.at.desc(), parked.c.customer_id, parked.c.enrollment_id).limit(most)
    )
    if customer_id is not None:
        found = found.where(parked.c.customer_id == customer_id)
    newest = (
        found.subquery()
    )  # limited first: the keys of those few are looked up, whatever else is set aside
    statement = (
        select(newest, customers.c.key.label("customer_key"))
        .join(customers, customers.c.id == newest.c.customer_id)
        .order_by(newest.c.at.desc(), newest.c.customer_id, newest.c.enrollment_id)
    )
    return [
        Parked(
            customer_id=row.customer_id,
            enrollment_id=row.enrollment_id,
            reason=row.reason,
            detail=row.detail,
            at=row.at,
            customer_key=row.customer_key,
        )
        for row in connection.execute(statement)
    ]


def counted(connection: Connection) -> dict[str, int]:
    """How many are parked, by reason."""
    rows = connection.execute(select(parked.c.reason, func.count().label("number")).group_by(parked.c.reason))
    return {row.reason: row.number for row in rows}
