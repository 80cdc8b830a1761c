"""The sandbox's inbox in the database: what the sandbox channels would have sent, kept to be looked at."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from channels.base import Outgoing
from orchestrator.clock import Clock
from orchestrator.errors import OrchestratorError
from orchestrator.ids import MESSAGE, parse_public_id, public_id
from orchestrator.store.bulk import insert_rows
from orchestrator.store.tables import customers, sandbox_inbox

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One message as the customer would have got it."""

    message_id: str
    channel: str
    at: datetime
    content: Mapping[str, Any]


class DatabaseKeeper:
    """The sandbox's port :class:`channels.sandbox.Keeper`: each message in a transaction of its own."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def keep(self, message: Outgoing) -> None:
        """Keep it; a message kept before stays as it was. Never raises: what cannot be kept is logged by its id."""
        try:
            with self._engine.begin() as connection:
                row = {
                    "customer_id": message.customer_id,
                    "message_id": parse_public_id(message.message_id, prefix=MESSAGE).row_id,
                    "channel": message.channel,
                    "content": plain(message),
                    "at": self._clock.read(connection).business,
                }
                insert_rows(connection, sandbox_inbox, [row], on_conflict="nothing")
        except (SQLAlchemyError, OrchestratorError) as problem:
            _log.warning("the sandbox could not keep %s: %s", message.message_id, type(problem).__name__)


def inbox(
    connection: Connection, customer_key: str, *, channel: str | None = None, most: int = 100
) -> list[Kept]:
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
        Kept(
            message_id=public_id(MESSAGE, row.customer_id, row.message_id),
            channel=row.channel,
            at=row.at,
            content=row.content,
        )
        for row in connection.execute(statement)
    ]


def plain(message: Outgoing) -> dict[str, Any]:
    """The message as JSON values, without what the row says already."""
    said = {"message_id", "customer_id", "customer_key", "channel"}
    return {name: value for name, value in asdict(message).items() if name not in said}
