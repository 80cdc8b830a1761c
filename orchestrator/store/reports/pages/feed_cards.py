"""Everything a customer was shown in the product, past items included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.ids import MESSAGE, public_id


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedCard:
    """An in-app item, past ones included."""

    message_id: str
    display: str
    content: dict[str, Any]
    shown_at: datetime
    state: str


def cards(connection: Connection, customer_id: int, now: datetime, *, most: int = 50) -> Sequence[FeedCard]:
    """What this customer was shown in the product, the latest first."""
    rows = connection.execute(_CARDS, {"customer_id": customer_id, "most": most})
    return [
        FeedCard(
            message_id=public_id(MESSAGE, customer_id, row.message_id),
            display=row.display,
            content=row.content.get("content") or {},
            shown_at=row.shown_at,
            state=_state(row, now),
        )
        for row in rows
    ]


def _state(row: Any, now: datetime) -> str:
    for name in ("withdrawn", "dismissed", "answered", "clicked"):
        if getattr(row, f"{name}_at") is not None:
            return name
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "seen" if row.seen_at is not None else "not seen yet"


_CARDS = text("""
    SELECT * FROM feed_items WHERE customer_id = :customer_id ORDER BY shown_at DESC, message_id DESC LIMIT :most""")
