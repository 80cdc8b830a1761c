"""Appends what comes from outside to the inbox, each fact once: no customer is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from orchestrator.records.inbox import InboxItem
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import inbox, seen_sources

_NEXT_IDS = text("SELECT nextval('inbox_ids') AS id FROM generate_series(1, :count) ORDER BY id")
_ASK_ANEW = text("""
INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)
SELECT customer_id, nextval('inbox_ids'), 'policy', :now, :now, '{}'
  FROM (SELECT DISTINCT customer_id FROM dispatch WHERE due_at > :now ORDER BY customer_id) AS waiting
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresInbox:
    """Everybody's inbox, on one connection."""

    connection: Connection

    def append(self, items: Sequence[InboxItem], now: datetime) -> int:
        """Append what its customer has not seen yet by source id; how many were new. Three statements."""
        if not items:
            return 0
        first: dict[tuple[int, str], InboxItem] = {}
        for item in items:
            first.setdefault((item.customer_id, item.source_id), item)
        new = {
            (row.customer_id, row.source_id)
            for row in insert_rows(
                self.connection,
                seen_sources,
                [{"customer_id": key[0], "source_id": key[1], "received_at": now} for key in sorted(first)],
                on_conflict="nothing",
                returning=("customer_id", "source_id"),
            )
        }
        taken = [item for key, item in first.items() if key in new]
        if not taken:
            return 0
        ids = self.connection.execute(_NEXT_IDS, {"count": len(taken)}).scalars()
        insert_rows(
            self.connection,
            inbox,
            [
                {
                    "customer_id": item.customer_id,
                    "id": inbox_id,
                    "kind": item.kind,
                    "occurred_at": min(item.occurred_at, now),
                    "received_at": now,
                    "data": dict(item.data),
                }
                for item, inbox_id in zip(taken, ids, strict=True)
            ],
        )
        return len(taken)


def ask_anew(connection: Connection, now: datetime) -> None:
    """Tell everybody for whom a message waits that the account has another policy. One statement."""
    connection.execute(_ASK_ANEW, {"now": now})
