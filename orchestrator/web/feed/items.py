"""The items of a customer's feed as the widget draws them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from orchestrator.records.feed import FeedItem
from orchestrator.records.message import FeedDisplay


class Button(BaseModel):
    label: str
    url: str = Field(description="A signed link: following it records the click and leads on")


class FeedItemBody(BaseModel):
    """One message. `html` holds a short list of harmless elements only; `text` is always there."""

    id: str = Field(examples=["m_1-2"])
    display: FeedDisplay
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


def view(item: FeedItem) -> FeedItemBody:
    content: Mapping[str, Any] = item.content.get("content") or {}
    header: Mapping[str, str] = content.get("header") or {}
    url, label = header.get("button_url"), header.get("button")
    return FeedItemBody.model_validate(
        {
            "id": item.message_id,
            "display": item.display,
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
