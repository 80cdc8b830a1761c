"""In-app messages: the engine's own feed.

The engine writes the feed row itself, in the transaction that files the result; a message for the feed needs no
provider, so handing it over cannot fail. What is left to do here is to tell open pages that something is coming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from channels.base import OutboundMessage, SendResult, SendStatus


class Publish(Protocol):
    """Live push: tells a customer's open pages to ask the feed again. Best effort; must return at once."""

    def __call__(self, customer_id: int, message_id: str) -> None: ...


class InAppChannel:
    """The feed as a channel. A page that missed the push finds the message at its next poll."""

    name = "in_app"
    provider = "feed"

    def __init__(self, *, publish: Publish | None = None) -> None:
        self._publish = publish

    def send(self, message: OutboundMessage) -> SendResult:
        if self._publish is not None:
            try:
                self._publish(message.customer_id, message.message_id)
            except Exception:  # noqa: BLE001  the feed row counts, the push is a courtesy
                return self._handed(message, detail="live push failed")
        return self._handed(message)

    def _handed(self, message: OutboundMessage, *, detail: str | None = None) -> SendResult:
        return SendResult(
            result=SendStatus.SENT, provider=self.provider, provider_id=message.message_id, detail=detail
        )


def from_settings(settings: Mapping[str, Any]) -> InAppChannel:
    """Build the channel; ``publish`` is the engine's live push, where it has one."""
    return InAppChannel(publish=settings.get("publish"))
