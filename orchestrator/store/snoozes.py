"""Cooldowns that a customer asked for: snoozes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select, text, update

from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import cooldowns

SNOOZE = "snooze"

_ASK_AGAIN = text("""
UPDATE dispatch AS d SET due_at = least(d.due_at, :now)
  FROM messages AS m
  JOIN LATERAL (SELECT v.policy FROM verdicts AS v WHERE v.customer_id = m.customer_id AND v.message_id = m.id
                 ORDER BY v.seq DESC LIMIT 1) AS last ON true
 WHERE d.customer_id = :id AND m.customer_id = d.customer_id AND m.id = d.message_id
   AND m.status = 'planned' AND last.policy = 'cooldown'
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresSnoozes:
    """Snoozes, on one connection."""

    connection: Connection

    def begin(self, customer_id: int, *, starts_at: datetime, ends_at: datetime) -> None:
        """A cooldown of everything that no enrollment set and no enrollment lifts."""
        row = {
            "customer_id": customer_id,
            "scope": "everything",
            "scope_value": "*",
            "reason": SNOOZE,
            "enrollment_id": None,
            "visit": None,
            "shadow": False,
            "starts_at": starts_at,
            "ends_at": ends_at,
        }
        insert_rows(self.connection, cooldowns, [row])

    def until(self, customer_id: int, now: datetime) -> datetime | None:
        """The end of the longest snooze in force."""
        until: datetime | None = self.connection.execute(
            select(func.max(cooldowns.c.ends_at)).where(_in_force(customer_id, now))
        ).scalar()
        return until

    def end(self, customer_id: int, now: datetime) -> None:
        """Lift every snooze in force; messages that a cooldown held back are due at once."""
        self.connection.execute(update(cooldowns).where(_in_force(customer_id, now)).values(lifted_at=now))
        self.connection.execute(_ASK_AGAIN, {"id": customer_id, "now": now})


def _in_force(customer_id: int, now: datetime) -> ColumnElement[bool]:
    return and_(
        cooldowns.c.customer_id == customer_id,
        cooldowns.c.reason == SNOOZE,
        cooldowns.c.ends_at > now,
        cooldowns.c.lifted_at.is_(None),
    )
