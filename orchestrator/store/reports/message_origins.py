"""Where messages come from: what an adapter is not told, and whoever reads its outbox wants to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, tuple_

from orchestrator.ids import MESSAGE, parse_public_id, public_id
from orchestrator.store.sql.tables import enrollments, messages


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageOrigin:
    """The playbook and step that planned a message, and the context its enrollment was started with."""

    playbook: str
    step: str
    context: Mapping[str, Any]


def message_origins(connection: Connection, message_ids: Collection[str]) -> dict[str, MessageOrigin]:
    """By public message id, in one statement."""
    if not message_ids:
        return {}
    parsed = [parse_public_id(one, prefix=MESSAGE) for one in message_ids]
    statement = (
        select(
            messages.c.customer_id, messages.c.id, messages.c.playbook, messages.c.step, enrollments.c.context
        )
        .join(
            enrollments,
            (enrollments.c.customer_id == messages.c.customer_id)
            & (enrollments.c.id == messages.c.enrollment_id),
        )
        .where(
            tuple_(messages.c.customer_id, messages.c.id).in_(
                [(one.customer_id, one.row_id) for one in parsed]
            )
        )
    )
    return {
        public_id(MESSAGE, row.customer_id, row.id): MessageOrigin(
            playbook=row.playbook, step=row.step, context=row.context
        )
        for row in connection.execute(statement)
    }
