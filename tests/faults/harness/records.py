"""What a run leaves to be judged. Instants are seconds of the machine's monotonic clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

MessageKey: TypeAlias = tuple[int, int]
"""Customer and row: what a public message id carries."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request to take a message, as the provider saw it."""

    place: int
    """Its place in the provider's ledger."""
    service: str
    message: MessageKey | None
    to: str | None
    fault: str | None
    taken: bool
    status: int | None
    began: float
    answered: float | None
    one_click: str | None = None

    @property
    def caller_knows(self) -> bool:
        """Whether the answer, had it arrived, tells the caller what became of the message."""
        return self.fault not in IN_DOUBT


IN_DOUBT = frozenset(
    {"error", "error_after_accept", "garbage", "hang", "hang_after_accept", "reset", "reset_after_accept", "trickle"}
)  # fmt: skip
"""Faults after which a caller cannot know whether the message was taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What the database says of a message."""

    customer_id: int
    id: int
    status: str
    reason: str | None
    channel: str
    topic: str

    @property
    def key(self) -> MessageKey:
        return self.customer_id, self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawal:
    """A withdrawal that was answered, and what it covers; ``*`` is everything."""

    customer_id: int
    channel: str
    topic: str
    door: str
    answered: float

    def covers(self, message: Message) -> bool:
        return self.channel in ("*", message.channel) and self.topic in ("*", message.topic)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A withdrawal that was asked for and not taken in."""

    door: str
    asked: float
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A time in which something was away."""

    what: str
    began: float
    ended: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrollment:
    customer: str
    playbook: str
    ended: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most so many messages to a customer in the whole run; on one channel, or on all of them."""

    at_most: int
    channel: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything the judge looks at."""

    calls: Sequence[Call]
    messages: Sequence[Message]
    enrollments: Sequence[Enrollment]
    expected: Sequence[tuple[str, str]]
    """Customer and playbook of every start that was answered."""
    limits: Sequence[Limit] = ()
    withdrawals: Sequence[Withdrawal] = ()
    refused: Sequence[Refused] = ()
    spans: Sequence[Span] = ()
    told: frozenset[MessageKey] = frozenset()
    """Messages of which the provider's callback said that they arrived."""
    parked: Sequence[str] = ()
    invariants: Sequence[str] = ()
    over_http: frozenset[str] = field(default_factory=lambda: frozenset({"email", "sms", "chat"}))
    """Channels whose messages the provider's ledger sees."""
