"""Deletes history that is older than it is kept, a stretch of a table at a time.

A stretch is a run of the table's blocks: each statement reads so many blocks and no more, one pass over a table reads
each block once, and no index on time is needed, which every insert would pay for.
"""

# ruff: noqa: S608 - names of our own tables alone

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from orchestrator.errors import StoreError
from orchestrator.store.history.enrollments import Stretch, prune_enrollments

BLOCKS = 256  # of eight kilobytes each
_ENROLLMENTS = "enrollments"  # all that belongs to them goes with them
_ENROLLMENT_BLOCKS = 16

# What of a table is older than :before and needed by nothing that still moves.
_OLD = {
    "signals": """t.occurred_at < :before AND EXISTS (
        SELECT FROM signals AS newer WHERE newer.customer_id = t.customer_id AND newer.name = t.name
        AND (newer.occurred_at, newer.id) > (t.occurred_at, t.id))""",
    "journal": """EXISTS (
        SELECT FROM enrollments AS e WHERE e.customer_id = t.customer_id AND e.id = t.enrollment_id
        AND e.ended_at < :before) AND t.at < :before""",
    "verdicts": """t.last_at < :before AND EXISTS (
        SELECT FROM verdicts AS later WHERE later.customer_id = t.customer_id AND later.message_id = t.message_id
        AND later.seq > t.seq)""",
    "receipts": """t.received_at < :before AND NOT EXISTS (
        SELECT FROM dispatch AS d WHERE d.customer_id = t.customer_id AND d.message_id = t.message_id)""",
    "seen_sources": "t.received_at < :before",
    "refusals": "coalesce(t.last_at, t.at) < :before",
    "not_entered": "t.last_at < :before",
    "cooldowns": "t.ends_at < :before",
    "holds": "coalesce(t.closed_at, t.ends_at) < :before",
    "sandbox": "t.at < :before",
    "api_requests": "t.at < :before",
}
_TABLE = {"sandbox": "sandbox_inbox"}
KINDS = (_ENROLLMENTS, *_OLD)
_BLOCKS_OF = text(
    "SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::bigint AS blocks"
)
_DUE = text("""
    INSERT INTO chores AS c (name, begun_at) VALUES (:name, :now)
    ON CONFLICT (name) DO UPDATE SET begun_at = EXCLUDED.begun_at
    WHERE c.begun_at <= EXCLUDED.begun_at - interval '23 hours' RETURNING name""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresHistory:
    """What is kept for a while, on one connection."""

    connection: Connection

    def prune(self, table: str, *, before: datetime, block: int) -> tuple[int, int | None]:
        """Delete what is older than ``before`` in the stretch that begins at ``block``.

        How many rows, and where the next stretch begins, or None. A fixed number of statements.
        """
        if table == _ENROLLMENTS:
            stretch = Stretch(first=f"({block},0)", end=f"({block + _ENROLLMENT_BLOCKS},0)")
            deleted = prune_enrollments(self.connection, before=before, stretch=stretch)
            return deleted, self._following(_ENROLLMENTS, block + _ENROLLMENT_BLOCKS)
        condition = _OLD.get(table)
        if condition is None:
            raise StoreError(f"expected one of {', '.join(KINDS)}; got {table!r}")
        name = _TABLE.get(table, table)
        result = self.connection.execute(
            text(
                f"DELETE FROM {name} AS t WHERE t.ctid >= CAST(:first AS tid) AND t.ctid < CAST(:end AS tid) "
                f"AND {condition}"
            ),
            {"first": f"({block},0)", "end": f"({block + BLOCKS},0)", "before": before},
        )
        return result.rowcount, self._following(name, block + BLOCKS)

    def _following(self, name: str, block: int) -> int | None:
        blocks = self.connection.execute(_BLOCKS_OF, {"name": name}).scalar_one()
        return block if block < blocks else None

    def due_once_a_day(self, chore: str, now: datetime) -> bool:
        """True for one caller a day; several may ask at once."""
        return self.connection.execute(_DUE, {"name": chore, "now": now}).first() is not None
