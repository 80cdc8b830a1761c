"""Appends what comes from outside to the inbox, each fact once: no customer is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from orchestrator.records.inbox import InboxItem, Lane, lane_of
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import inbox, seen_sources

CROWDED = 50
"""So many rows of one customer wait that more of them need not let the customer be found."""

_PREPARE = text("""
SELECT ARRAY(SELECT nextval('inbox_ids') FROM generate_series(1, :count)) AS ids,
       ARRAY(SELECT u.id FROM unnest(CAST(:customers AS bigint[])) AS u(id)
              WHERE (SELECT 1 FROM inbox i WHERE i.customer_id = u.id OFFSET :crowded LIMIT 1) IS NOT NULL) AS crowded
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
        found = self.connection.execute(
            _PREPARE,
            {
                "count": len(taken),
                "customers": sorted({item.customer_id for item in taken}),
                "crowded": CROWDED,
            },
        ).one()
        lanes = _lanes(taken, now, set(found.crowded))
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
                    "lane": lane,
                }
                for item, inbox_id, lane in zip(taken, sorted(found.ids), lanes, strict=True)
            ],
        )
        return len(taken)


def _lanes(items: Sequence[InboxItem], now: datetime, crowded: set[int]) -> list[int]:
    """The lane of each row. Of one customer's signals in one call the first lets the others be found, so that an
    upload of thousands is looked at once; an answer always lets its customer be found.

    A crowd is looked at before the rows are committed: if it is applied meanwhile, the sweep finds what stands alone.
    """
    found: set[tuple[int, Lane]] = set()
    lanes: list[int] = []
    for item in items:
        lane = lane_of(item.kind, age=now - item.occurred_at)
        behind = (item.customer_id, lane) in found or item.customer_id in crowded
        found.add((item.customer_id, lane))
        lanes.append(lane + Lane.BEHIND if behind and lane is not Lane.ANSWERS else lane)
    return lanes
