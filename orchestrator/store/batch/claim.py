"""Who is taken next, and the lock on the customer's row: everything that changes a customer begins here.

A claim is two statements: one finds and locks customers in id order, passing over those somebody else holds, and a
*later* one (in :mod:`orchestrator.store.batch.load`) reads what decides. Counting in the locking statement would see
the world from before the lock was granted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_DUE_WALKS = text("""
WITH due AS MATERIALIZED (
    (SELECT t.customer_id FROM timers t
      WHERE t.due_at <= :now AND NOT EXISTS (
            SELECT 1 FROM parked p WHERE p.customer_id = t.customer_id AND p.enrollment_id IN (0, t.enrollment_id))
      ORDER BY t.due_at LIMIT :some)
    UNION
    (SELECT i.customer_id FROM inbox i
      WHERE NOT EXISTS (SELECT 1 FROM parked p WHERE p.customer_id = i.customer_id AND p.enrollment_id = 0)
      ORDER BY i.id LIMIT :some)
)
SELECT c.id FROM customers c WHERE c.id IN (SELECT customer_id FROM due)
 ORDER BY c.id LIMIT :limit FOR NO KEY UPDATE OF c SKIP LOCKED
""")

_DUE_MESSAGES = text("""
WITH due AS MATERIALIZED (
    SELECT found.customer_id
      FROM unnest(CAST(:providers AS text[]), CAST(:capacity AS int[])) AS open(provider, room)
      CROSS JOIN LATERAL (
        SELECT d.customer_id FROM dispatch d
         WHERE d.provider = open.provider AND d.due_at <= :now AND d.free_at <= :machine
           AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.customer_id = d.customer_id AND p.enrollment_id = 0)
         ORDER BY d.due_at LIMIT open.room * 4
      ) AS found
)
SELECT c.id FROM customers c WHERE c.id IN (SELECT customer_id FROM due)
 ORDER BY c.id LIMIT :limit FOR NO KEY UPDATE OF c SKIP LOCKED
""")

_COUNT_MESSAGES = text("""
SELECT asked.provider, (
    SELECT count(*) FROM (
        SELECT 1 FROM dispatch d
         WHERE d.provider = asked.provider AND d.due_at <= :now AND d.free_at <= :machine
           AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.customer_id = d.customer_id AND p.enrollment_id = 0)
         LIMIT :limit
    ) AS due) AS messages
  FROM unnest(CAST(:providers AS text[])) AS asked(provider)
""")

_LOCK = text("SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

_LOCK_FREE = text("SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")

_OVERDUE = text("""
SELECT customer_id FROM timers t WHERE due_at <= :before
   AND NOT EXISTS (SELECT 1 FROM parked p
                    WHERE p.customer_id = t.customer_id AND p.enrollment_id IN (0, t.enrollment_id))
UNION
SELECT customer_id FROM inbox i WHERE received_at <= :before
   AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.customer_id = i.customer_id AND p.enrollment_id = 0)
 LIMIT :limit
""")

_NEXT_DUE = text("""
SELECT least(
    (SELECT min(due_at) FROM timers t WHERE NOT EXISTS (
        SELECT 1 FROM parked p WHERE p.customer_id = t.customer_id AND p.enrollment_id IN (0, t.enrollment_id))),
    (SELECT min(greatest(d.due_at, d.free_at, shut.until)) FROM dispatch d
       LEFT JOIN unnest(CAST(:providers AS text[]), CAST(:untils AS timestamptz[])) AS shut(provider, until)
         ON shut.provider = d.provider WHERE NOT EXISTS (
        SELECT 1 FROM parked p WHERE p.customer_id = d.customer_id AND p.enrollment_id = 0)),
    (SELECT min(received_at) FROM inbox i WHERE NOT EXISTS (
        SELECT 1 FROM parked p WHERE p.customer_id = i.customer_id AND p.enrollment_id = 0)))
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresClaims:
    """The locks on customers, on one connection."""

    connection: Connection

    def customers(self, *, now: datetime, limit: int) -> list[int]:
        """Lock up to ``limit`` customers with a due timer or something in their inbox; their ids in order."""
        rows = self.connection.execute(_DUE_WALKS, {"now": now, "limit": limit, "some": limit * 4})
        return [row.id for row in rows]

    def count_messages(
        self, *, now: datetime, machine: datetime, providers: Sequence[str], limit: int
    ) -> dict[str, int]:
        """How many messages are due at each of ``providers``, counting to ``limit``; locks nobody."""
        values = {"now": now, "machine": machine, "providers": list(providers), "limit": limit}
        return {row.provider: row.messages for row in self.connection.execute(_COUNT_MESSAGES, values)}

    def with_messages(
        self, *, now: datetime, machine: datetime, capacity: Mapping[str, int], limit: int
    ) -> list[int]:
        """Lock up to ``limit`` customers with a message due at a provider that has room; their ids in order."""
        if not capacity:
            return []
        values = {
            "now": now,
            "machine": machine,
            "providers": list(capacity),
            "capacity": list(capacity.values()),
        }
        return [row.id for row in self.connection.execute(_DUE_MESSAGES, {**values, "limit": limit})]

    def these(self, ids: Collection[int]) -> list[int]:
        """Lock these customers in id order, in one statement, waiting for each; those that exist."""
        return [row.id for row in self.connection.execute(_LOCK, {"ids": sorted(ids)})]

    def free(self, ids: Collection[int]) -> list[int]:
        """Lock those of these customers whom nobody holds, in id order."""
        return [row.id for row in self.connection.execute(_LOCK_FREE, {"ids": sorted(ids)})]

    def overdue(self, *, before: datetime, limit: int) -> list[int]:
        """Customers whose work is overdue since ``before``: they are taken alone, with a lock that waits."""
        return [
            row.customer_id for row in self.connection.execute(_OVERDUE, {"before": before, "limit": limit})
        ]


def next_due(connection: Connection, shut: Mapping[str, datetime]) -> datetime | None:
    """When the earliest timer, message or inbox row is due; None when nothing waits at all. ``shut`` are providers
    that may not be asked before an instant."""
    values = {"providers": list(shut), "untils": list(shut.values())}
    due: datetime | None = connection.execute(_NEXT_DUE, values).scalar()
    return due
