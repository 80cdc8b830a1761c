"""Sandbox channels that also tell the simulation what was handed over."""

from __future__ import annotations

from channels.base import Channel, OutboundMessage, SendResult, SendStatus


class Outbox:
    """Collects what reached people, in the order of the hand-overs."""

    def __init__(self) -> None:
        self._messages: list[OutboundMessage] = []

    def put(self, message: OutboundMessage) -> None:
        self._messages.append(message)

    def take(self) -> list[OutboundMessage]:
        taken, self._messages = self._messages, []
        return taken


class Watched:
    """A channel whose messages are also seen by the outbox. A send pool of one: no lock is needed."""

    def __init__(self, inner: Channel, outbox: Outbox) -> None:
        self.name = inner.name
        self.provider = inner.provider
        self._inner = inner
        self._outbox = outbox

    def send(self, message: OutboundMessage) -> SendResult:
        handed = self._inner.send(message)
        if handed.result is SendStatus.SENT:
            self._outbox.put(message)
        return handed
