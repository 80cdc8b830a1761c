"""Adapters that are listened to: rehearsals and tests read from an outbox what the engine handed over, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from channels.base import Channel, OutboundMessage, SendResult, SendStatus


@dataclass(kw_only=True, slots=True)
class HandOver:
    """One message on its way to an adapter. ``result`` is None until the adapter answers, and stays so if it breaks."""

    message: OutboundMessage
    at: datetime
    result: SendResult | None = None

    @property
    def sent(self) -> bool:
        """Whether the adapter took it."""
        return self.result is not None and self.result.result is SendStatus.SENT


class Outbox:
    """Every hand-over of one engine in its order, and the adapters listened to by their channel's name.

    On a virtual clock messages leave one after the other, so no lock is needed.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.hand_overs: list[HandOver] = []
        self.channels: dict[str, RecordingChannel] = {}
        self._now = now

    def listen(self, inner: Channel) -> RecordingChannel:
        """The adapter, recorded here: what ``build_engine(channels=...)`` asks for."""
        recording = RecordingChannel(inner, self)
        self.channels[inner.name] = recording
        return recording

    def note(self, message: OutboundMessage) -> HandOver:
        """Begin the record of one hand-over."""
        begun = HandOver(message=message, at=self._now())
        self.hand_overs.append(begun)
        return begun

    def take(self) -> list[HandOver]:
        """Everything since the last call, and forget it."""
        taken, self.hand_overs = self.hand_overs, []
        return taken


class RecordingChannel:
    """An adapter whose messages are written down before it gets them. ``before`` is called in between."""

    def __init__(self, inner: Channel, outbox: Outbox) -> None:
        self.name = inner.name
        self.provider = inner.provider
        self.inner = inner
        self.before: Callable[[OutboundMessage], object] | None = None
        self._outbox = outbox

    def send(self, message: OutboundMessage) -> SendResult:
        """Hand over to the adapter itself."""
        noted = self._outbox.note(message)
        if self.before is not None:
            self.before(message)
        noted.result = self.inner.send(message)
        return noted.result
