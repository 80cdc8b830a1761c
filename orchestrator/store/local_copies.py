"""What reached a feed or the sandbox, written in the transaction that says it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from channels.base import LOCAL_PROVIDERS
from orchestrator.records.delivery import LocalCopy
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import feed_items, sandbox_inbox


def show(connection: Connection, shown: Sequence[LocalCopy], now: datetime) -> None:
    """Make in-app messages visible in the feed, and keep what the sandbox took."""
    feed: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for one in shown:
        key = {"customer_id": one.customer_id, "message_id": one.message_id}
        if one.display is not None:
            expires_at = one.expires_at
            feed.append(
                {
                    **key,
                    "display": one.display,
                    "content": one.content,
                    "shown_at": now,
                    "expires_at": expires_at,
                    "withdrawn_at": now if expires_at is not None and expires_at <= now else None,
                }
            )
        if one.provider in LOCAL_PROVIDERS:
            kept.append({**key, "channel": one.channel, "content": one.content, "at": now})
    insert_rows(connection, feed_items, feed, on_conflict="nothing")
    insert_rows(connection, sandbox_inbox, kept, on_conflict="nothing")
