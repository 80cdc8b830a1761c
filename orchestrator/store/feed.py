"""A customer's in-app feed: what is in it now, and what was done with it.

Whether a promotional item may be shown at all (holds, cooldown, opt-out) is asked by the service that shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, select, tuple_, update

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.feed_visibility import Guards
from orchestrator.errors import InputError
from orchestrator.ids import MESSAGE, parse_public_id, public_id
from orchestrator.language.conditions.requirements import LookBack
from orchestrator.records.feed import FeedAction, FeedItem
from orchestrator.store.batch.build import guards
from orchestrator.store.sql.tables import feed_items, messages


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresFeed:
    """Everybody's feed, on one connection."""

    connection: Connection

    def items(self, customer_id: int, now: datetime, *, most: int) -> list[FeedItem]:
        """What is in the feed, newest first."""
        return visible(self.connection, customer_id, now, most=most)

    def guards(
        self, customer_id: int, now: datetime, catalogue: Catalogue, *, look_back: LookBack | None
    ) -> Guards:
        """What may hide it. ``look_back``: the history that conditions need; None: no condition is asked."""
        return guards(self.connection, customer_id, catalogue, now, look_back=look_back)

    def mark(self, customer_id: int, message_id: int, action: FeedAction, at: datetime) -> None:
        """Note what the customer did with an item."""
        mark(self.connection, customer_id, [message_id], action, at)


def visible(
    connection: Connection, customer_id: int, now: datetime, *, most: int = 20, after: str | None = None
) -> list[FeedItem]:
    """Items that are not withdrawn, expired, dismissed or answered, newest first; ``after`` is an item's cursor.

    Raises InputError for a cursor that no item gave.
    """
    statement = (
        select(
            feed_items,
            messages.c.enrollment_id,
            messages.c.playbook_id,
            messages.c.topic,
            messages.c.promotional,
            messages.c.playbook,
            messages.c.step,
            messages.c.kind,
        )
        .join(
            messages,
            and_(
                messages.c.customer_id == feed_items.c.customer_id, messages.c.id == feed_items.c.message_id
            ),
        )
        .where(_visible(customer_id, now))
        .order_by(feed_items.c.shown_at.desc(), feed_items.c.message_id.desc())
        .limit(most)
    )
    if after is not None:
        statement = statement.where(
            tuple_(feed_items.c.shown_at, feed_items.c.message_id) < tuple_(*_cursor(after))
        )
    return [
        FeedItem(
            message_id=public_id(MESSAGE, row.customer_id, row.message_id),
            enrollment_id=row.enrollment_id,
            playbook_id=row.playbook_id,
            topic=row.topic,
            promotional=row.promotional,
            playbook=row.playbook,
            step=row.step,
            kind=row.kind,
            display=row.display,
            content=row.content,
            shown_at=row.shown_at,
            expires_at=row.expires_at,
            seen_at=row.seen_at,
            clicked_at=row.clicked_at,
            answered_at=row.answered_at,
        )
        for row in connection.execute(statement)
    ]


def mark(
    connection: Connection, customer_id: int, message_ids: Sequence[int], action: FeedAction, at: datetime
) -> list[int]:
    """Note what a person did, and give the ids of the items for which it is news.

    The first time counts, a later one changes nothing. What was clicked, dismissed or answered was seen, at that
    instant at the latest. Items that are withdrawn or expired can be marked too: a page may have been open. One
    statement.
    """
    if not message_ids:
        return []
    column = feed_items.c[f"{action}_at"]
    values: dict[str, Any] = {f"{action}_at": at}
    if action != "seen":
        seen = feed_items.c.seen_at
        values["seen_at"] = case((seen.is_(None), at), (seen > at, at), else_=seen)
    statement = (
        update(feed_items)
        .where(
            feed_items.c.customer_id == customer_id,
            feed_items.c.message_id.in_(message_ids),
            feed_items.c.shown_at <= at,
            column.is_(None),
        )
        .values(**values)
        .returning(feed_items.c.message_id)
    )
    return sorted(connection.execute(statement).scalars())


def _visible(customer_id: int, now: datetime) -> ColumnElement[bool]:
    return and_(
        feed_items.c.customer_id == customer_id,
        feed_items.c.withdrawn_at.is_(None),
        feed_items.c.dismissed_at.is_(None),
        feed_items.c.answered_at.is_(None),
        feed_items.c.shown_at <= now,
        (feed_items.c.expires_at.is_(None)) | (feed_items.c.expires_at > now),
    )


def _cursor(cursor: str) -> tuple[datetime, int]:
    shown, _, message = cursor.partition("~")
    try:
        instant = datetime.fromisoformat(shown)
        row_id = parse_public_id(message, prefix=MESSAGE).row_id
    except (ValueError, InputError) as problem:
        msg = "expected the `cursor` of an item of this feed"
        raise InputError("$.after", msg) from problem
    if instant.tzinfo is None:
        raise InputError("$.after", "expected the `cursor` of an item of this feed")
    return instant, row_id
