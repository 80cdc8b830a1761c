"""A customer's in-app feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from orchestrator.records.message import FeedDisplay, MessageKind

FeedAction = Literal["seen", "clicked", "dismissed", "answered"]
"""What a customer may do with an item; the last two take it out of the feed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedItem:
    """One item of a feed that is neither withdrawn, expired, dismissed nor answered."""

    message_id: str  # public: m_...
    enrollment_id: int
    playbook_id: int  # of the version the message belongs to
    topic: str
    promotional: bool
    playbook: str
    step: str
    kind: MessageKind  # send or ask
    display: FeedDisplay
    content: Mapping[str, Any]  # as rendered
    shown_at: datetime  # since when it is in the feed
    expires_at: datetime | None
    seen_at: datetime | None
    clicked_at: datetime | None
    answered_at: datetime | None

    @property
    def cursor(self) -> str:
        """Where the next page begins; opaque to callers."""
        return f"{self.shown_at.isoformat()}~{self.message_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """What a customer may see now, newest first."""

    items: tuple[FeedItem, ...]
    unread: int  # may be seen and was not seen yet, also what a limit left out
