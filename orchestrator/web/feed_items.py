"""Which items of a customer's feed may be shown at this moment, as the widget draws them.

An item reached the feed when every policy allowed it. Whether it may still be seen is asked again here: an opt-out, a
hold or a rest that came since hides promotional items until it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import Connection, select

from orchestrator.core import policy
from orchestrator.core.policies import cooldown, hold, opted_out
from orchestrator.core.question import Allow, Consent, OpenHold, Question, Rest
from orchestrator.ids import parse_public_id
from orchestrator.store import consents, feed
from orchestrator.store.tables import cooldowns, holds, messages
from orchestrator.web.ports import Facade

_ASKED_AGAIN = (opted_out, hold, cooldown)
_KINDS: Mapping[str, Literal["send", "ask"]] = {"send": "send", "ask": "ask"}


class Button(BaseModel):
    label: str
    url: str = Field(description="A signed link: following it records the click and leads on")


class FeedItem(BaseModel):
    """One message. `html` holds a short list of harmless elements only; `text` is always there."""

    id: str = Field(examples=["m_1-2"])
    display: Literal["modal", "banner", "sidebar", "inbox"]
    title: str | None = None
    html: str | None = None
    text: str
    button: Button | None = None
    choices: list[tuple[str, str]] = Field(default=[], description="Of a question: answer key and its words")
    scale: tuple[int, int] | None = Field(
        default=None, description="Of a question: lowest and highest number"
    )
    comment: str | None = Field(
        default=None, description="The invitation to add a remark; null: no remark wanted"
    )
    seen: bool = False
    shown_at: datetime
    expires_at: datetime | None = None


def current_items(engine: Facade, customer_id: int, *, limit: int) -> list[FeedItem]:
    """Newest first."""
    with engine.engine.connect() as connection:
        now = engine.clock.read(connection).business
        items = feed.visible(connection, customer_id, now, most=limit)
        if not items:
            return []
        facts = _Facts(connection, engine, customer_id)
        owners = _enrollments(connection, customer_id, [item.message_id for item in items])
    return [
        _view(item)
        for item in items
        if facts.allow(item, enrollment_id=owners.get(item.message_id, 0), now=now)
    ]


class _Facts:
    """What the three policies ask about one customer."""

    def __init__(self, connection: Connection, engine: Facade, customer_id: int) -> None:
        topics = {rule.name: frozenset(rule.topics) for rule in engine.policy.holds}
        self.consents = tuple(
            Consent(
                channel=row.channel,
                topic=row.topic,
                granted=row.granted,
                basis=row.basis,
                since=row.since,
                expires_at=row.expires_at,
            )
            for row in consents.present(connection, customer_id)
        )
        self.rests = tuple(
            Rest(
                scope=row.scope,
                scope_value=row.scope_value,
                reason=row.reason,
                ends_at=row.ends_at,
                enrollment_id=row.enrollment_id,
            )
            for row in connection.execute(
                select(cooldowns).where(
                    cooldowns.c.customer_id == customer_id,
                    cooldowns.c.lifted_at.is_(None),
                    cooldowns.c.shadow.is_(False),
                )
            )
        )
        self.holds = tuple(
            OpenHold(
                name=row.name,
                opened_at=row.opened_at,
                ends_at=row.ends_at,
                topics=topics.get(row.name, frozenset()),
            )
            for row in connection.execute(
                select(holds).where(holds.c.customer_id == customer_id, holds.c.closed_at.is_(None))
            )
        )

    def allow(self, item: feed.FeedItem, *, enrollment_id: int, now: datetime) -> bool:
        question = Question(
            now=now,
            channel="in_app",
            kind=_KINDS.get(item.kind, "send"),
            topic=item.topic,
            promotional=item.promotional,
            playbook=item.playbook,
            enrollment_id=enrollment_id,
            held_out=False,
            give_up_at=now,
            consents=self.consents,
            rests=self.rests,
            holds=self.holds,
        )
        return isinstance(policy.ask(question, _ASKED_AGAIN), Allow)


def _enrollments(connection: Connection, customer_id: int, message_ids: list[str]) -> dict[str, int]:
    rows = {parse_public_id(message_id).row_id: message_id for message_id in message_ids}
    statement = select(messages.c.id, messages.c.enrollment_id).where(
        messages.c.customer_id == customer_id, messages.c.id.in_(rows)
    )
    return {rows[row.id]: row.enrollment_id for row in connection.execute(statement)}


def _view(item: feed.FeedItem) -> FeedItem:
    content: Mapping[str, Any] = item.content.get("content") or {}
    header: Mapping[str, str] = content.get("header") or {}
    url, label = header.get("button_url"), header.get("button")
    display = item.display if item.display in ("modal", "banner", "sidebar", "inbox") else "inbox"
    return FeedItem.model_validate(
        {
            "id": item.message_id,
            "display": display,
            "title": header.get("title"),
            "html": content.get("html"),
            "text": content.get("text") or "",
            "button": {"label": label, "url": url} if url and label else None,
            "choices": content.get("choices") or [],
            "scale": content.get("scale"),
            "comment": header.get("comment"),
            "seen": item.seen_at is not None,
            "shown_at": item.shown_at,
            "expires_at": item.expires_at,
        }
    )
