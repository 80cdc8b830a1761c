"""The sandbox's inbox in the database: what the sandbox channels would have sent, kept to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from orchestrator.ids import MESSAGE, public_id
from orchestrator.store.sql.tables import customers, sandbox_inbox


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxMessage:
    """One message as the customer would have got it."""

    message_id: str
    channel: str
    at: datetime
    content: Mapping[str, Any]


def inbox(
    connection: Connection, customer_key: str, *, channel: str | None = None, most: int = 100
) -> list[SandboxMessage]:
    """What one customer would have received, newest first."""
    statement = (
        select(sandbox_inbox)
        .join(customers, customers.c.id == sandbox_inbox.c.customer_id)
        .where(customers.c.key == customer_key)
        .order_by(sandbox_inbox.c.at.desc(), sandbox_inbox.c.message_id.desc())
        .limit(most)
    )
    if channel is not None:
        statement = statement.where(sandbox_inbox.c.channel == channel)
    return [
        SandboxMessage(
            message_id=public_id(MESSAGE, row.customer_id, row.message_id),
            channel=row.channel,
            at=row.at,
            content=row.content,
        )
        for row in connection.execute(statement)
    ]
