"""Finds the message that a callback or a response is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from orchestrator.store.sql.pg_arrays import texts
from orchestrator.store.sql.tables import messages

_BY_PROVIDER_ID = text("""
SELECT wanted.given, p.customer_id, p.message_id
  FROM unnest(CAST(:given AS text[])) AS wanted(given)
  JOIN provider_ids p ON p.provider_id IN (wanted.given, split_part(wanted.given, '.', 1))
""")
_LAST_MESSAGES = text("""
SELECT DISTINCT ON (customer_id) customer_id, id FROM messages
 WHERE customer_id = ANY(:ids) AND channel = :channel AND handed_at IS NOT NULL
 ORDER BY customer_id, handed_at DESC, id DESC
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresMessages:
    """Messages by what the outside calls them, on one connection."""

    connection: Connection

    def exists(self, customer_id: int, message_id: int) -> bool:
        """Whether the customer has such a message."""
        found = self.connection.execute(
            select(messages.c.id).where(messages.c.customer_id == customer_id, messages.c.id == message_id)
        )
        return found.first() is not None

    def by_provider_id(self, provider_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """(customer, message) of each id a provider gave; some lengthen the id they gave at first after a dot."""
        if not provider_ids:
            return {}
        rows = self.connection.execute(_BY_PROVIDER_ID, {"given": texts(sorted(provider_ids))})
        return {row.given: (row.customer_id, row.message_id) for row in rows}

    def last_by(self, channel: str, customer_ids: Collection[int]) -> dict[int, int]:
        """The message of each customer that was handed over last on ``channel``."""
        if not customer_ids:
            return {}
        rows = self.connection.execute(_LAST_MESSAGES, {"ids": sorted(customer_ids), "channel": channel})
        return {row.customer_id: row.id for row in rows}
