"""What people and the product do in a simulation: each deed is one call of the engine's public surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.base import OutboundMessage, Receipt
from orchestrator.records.intake import Identify, Track


@dataclass(frozen=True, kw_only=True, slots=True)
class ActOnMessage:
    """A person acts on one message: in the product's feed, on a page, or somebody closes a hand-over."""

    message_id: str
    outcome: str
    detail: str | None = None
    comment: str | None = None
    source_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OptOut:
    """A person follows the opt-out link of a message: for its topic, or for everything."""

    message_id: str
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OptIn:
    """A person agrees, in the product, to be written to on a channel that needs it."""

    channel: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StartByProduct:
    """The product starts a playbook that has no signal of its own."""

    playbook: str
    context: Mapping[str, Any] = field(default_factory=dict)
    key: str


What = Identify | Track | ActOnMessage | Receipt | OptOut | OptIn | StartByProduct


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerAction:
    """``what`` happens ``at`` an instant to ``customer``; ``number`` keeps the order of one customer's deeds."""

    at: datetime
    customer: str
    number: int
    what: What

    @property
    def order(self) -> tuple[datetime, str, int]:
        return (self.at, self.customer, self.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A message that reached somebody, with what the engine knows about it.

    ``endings`` are the words with which a hand-over of this step may be closed.
    """

    message: OutboundMessage
    playbook: str
    step: str
    context: Mapping[str, Any]
    at: datetime
    endings: tuple[str, ...] = ()
