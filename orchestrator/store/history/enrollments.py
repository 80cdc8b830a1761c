"""Lets go of enrollments that ended long ago, with all that belongs to them, under their customers' locks.

The newest of each playbook and re-entry key stays, for it decides whether the customer may enter again, and so does
whatever has a message that is not settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

_OLD = text("""
SELECT e.customer_id, e.id FROM enrollments e
 WHERE e.ctid >= CAST(:first AS tid) AND e.ctid < CAST(:end AS tid) AND e.ended_at < :before
   AND EXISTS (SELECT FROM enrollments newer
                WHERE newer.customer_id = e.customer_id AND newer.id > e.id AND newer.ended_at IS NOT NULL
                  AND newer.playbook = e.playbook AND newer.reentry_key = e.reentry_key
                  AND (coalesce(CAST(newer.state->'any_sent' AS boolean), false)
                       OR NOT coalesce(CAST(e.state->'any_sent' AS boolean), false)))
   AND NOT EXISTS (SELECT FROM messages m JOIN dispatch d ON d.customer_id = m.customer_id AND d.message_id = m.id
                    WHERE m.customer_id = e.customer_id AND m.enrollment_id = e.id)
""")
_LOCK = text("SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")
_DELETE = text("""
WITH old AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:customers AS bigint[]), CAST(:enrollments AS bigint[])) AS u(customer_id, id)
), gone AS (
    DELETE FROM messages m USING old WHERE m.customer_id = old.customer_id AND m.enrollment_id = old.id
    RETURNING m.customer_id, m.id, m.provider_id
), the_verdicts AS (
    DELETE FROM verdicts t USING gone WHERE t.customer_id = gone.customer_id AND t.message_id = gone.id
), the_receipts AS (
    DELETE FROM receipts t USING gone WHERE t.customer_id = gone.customer_id AND t.message_id = gone.id
), the_provider_ids AS (
    DELETE FROM provider_ids t USING gone WHERE t.provider_id = gone.provider_id AND t.message_id = gone.id
), the_cap_slots AS (
    DELETE FROM cap_slots t USING gone WHERE t.customer_id = gone.customer_id AND t.message_id = gone.id
), the_feed_items AS (
    DELETE FROM feed_items t USING gone WHERE t.customer_id = gone.customer_id AND t.message_id = gone.id
), the_sandbox AS (
    DELETE FROM sandbox_inbox t USING gone WHERE t.customer_id = gone.customer_id AND t.message_id = gone.id
), the_journal AS (
    DELETE FROM journal t USING old WHERE t.customer_id = old.customer_id AND t.enrollment_id = old.id
), the_conversions AS (
    DELETE FROM conversions t USING old WHERE t.customer_id = old.customer_id AND t.enrollment_id = old.id
), the_doubtful_steps AS (
    DELETE FROM doubtful_steps t USING old WHERE t.customer_id = old.customer_id AND t.enrollment_id = old.id
)
DELETE FROM enrollments t USING old WHERE t.customer_id = old.customer_id AND t.id = old.id
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A run of a table's blocks, as the least row id in it and the least behind it."""

    first: str
    end: str


def prune_enrollments(connection: Connection, *, before: datetime, stretch: Stretch) -> int:
    """How many went. A customer whom somebody else holds is left for the next day.

    What decides is read again after the locks.
    """
    values = {"first": stretch.first, "end": stretch.end, "before": before}
    old = connection.execute(_OLD, values).all()
    if not old:
        return 0
    locked = set(connection.execute(_LOCK, {"ids": sorted({row.customer_id for row in old})}).scalars())
    free = [row for row in connection.execute(_OLD, values) if row.customer_id in locked]
    return _delete(connection, free) if free else 0


def _delete(connection: Connection, rows: Sequence[Row[Any]]) -> int:
    values = {
        "customers": [row.customer_id for row in rows],
        "enrollments": [row.id for row in rows],
    }
    return connection.execute(_DELETE, values).rowcount
