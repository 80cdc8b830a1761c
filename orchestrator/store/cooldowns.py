"""Cooldowns a person asked for herself: snoozes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import cooldowns

SNOOZE = "snooze"


def begin_snooze(
    connection: Connection, customer_id: int, *, reason: str, starts_at: datetime, ends_at: datetime
) -> None:
    """A rest of everything that no run set and no run lifts."""
    row = {
        "customer_id": customer_id,
        "scope": "everything",
        "scope_value": "*",
        "reason": reason,
        "enrollment_id": None,
        "visit": None,
        "shadow": False,
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    insert_rows(connection, cooldowns, [row])


def snoozed_until(connection: Connection, customer_id: int, now: datetime) -> datetime | None:
    """The end of the longest snooze in force."""
    until: datetime | None = connection.execute(
        select(func.max(cooldowns.c.ends_at)).where(
            cooldowns.c.customer_id == customer_id,
            cooldowns.c.reason == SNOOZE,
            cooldowns.c.ends_at > now,
            cooldowns.c.lifted_at.is_(None),
        )
    ).scalar()
    return until
