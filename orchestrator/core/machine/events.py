"""The closed set of things that can happen to an enrollment: the input of ``decide``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Entered:
    """The enrollment begins. ``since`` is when the signal that let the customer in occurred: what is done from then on
    belongs to it, even if a worker comes to both only later."""

    since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerDue:
    """The instant the enrollment was waiting for has come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BeforeHandOver:
    """The message of ``visit`` is about to be handed over: is there still a reason to speak?"""

    visit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """The hand-over of the message of ``visit`` is authorised and about to be committed."""

    visit: int
    channel: str
    tracked: bool = True


class DeliveryOutcome(StrEnum):
    """What became of a hand-over, as far as the enrollment is concerned."""

    SENT = "sent"
    HELD_OUT = "held_out"  # counts as sent for timing
    TRY_AGAIN = "try_again"  # nothing was sent; it is planned again
    BOUNCED = "bounced"
    FAILED = "failed"
    NOT_SENT = "not_sent"  # a policy or patience said no
    ABANDONED = "abandoned"  # it may have been sent; nobody will know


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What became of the message of ``visit``. ``answer`` is what a called function gave back."""

    visit: int
    outcome: DeliveryOutcome
    at: datetime
    channel: str
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Responded:
    """A person (or, by its word, a machine) did something with the message of ``visit``.

    ``detail`` is the name of the link or button, the key of the answer, or the reason of a closing. ``step`` is the
    message's, which the enrollment may have left.
    """

    visit: int
    outcome: str
    occurred_at: datetime
    detail: str | None = None
    step: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Signalled:
    """The product reported something about the customer."""

    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class FactsChanged:
    """Attributes changed: conditions that are waited for may hold now, and anchors may have moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentWithdrawn:
    """An opt-out of ``channel`` and ``topic`` (``*``: all) is in force."""

    channel: str
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """The person is to be forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """The message of ``visit`` waits until ``until``, and its patience stands still so long; now thaws it."""

    visit: int
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """Somebody or something outside the playbook ends the enrollment; ``why`` is kept in the journal."""

    why: str


EnrollmentEvent = (
    Entered
    | TimerDue
    | BeforeHandOver
    | HandedOver
    | Settled
    | Responded
    | Signalled
    | FactsChanged
    | ConsentWithdrawn
    | Erased
    | Frozen
    | Stopped
)
