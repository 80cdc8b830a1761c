"""What went out in a test, as its reader would have got it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from channels.base import Content, OutboundMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class SentMessage:
    """One message that an adapter took. ``message`` is everything the adapter was given, ``at`` is business time."""

    customer: str
    channel: str
    playbook: str
    step: str
    at: datetime
    message: OutboundMessage = field(repr=False)

    @property
    def id(self) -> str:
        """The public id: what ``respond`` asks for."""
        return self.message.message_id

    @property
    def address(self) -> str:
        """Where it went: an email address, an E.164 number; for in_app the customer's key."""
        return self.message.address

    @property
    def content(self) -> Content:
        """The rendered message: text, HTML, header, links."""
        return self.message.content

    @property
    def text(self) -> str:
        """The rendered words without markup."""
        return self.message.content.text

    @property
    def subject(self) -> str | None:
        """The subject of an email."""
        return self.message.content.header.get("subject")
