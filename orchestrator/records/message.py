"""The words of a message's life, what the policies said of it last, and what was heard about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

MessageKind = Literal["send", "ask", "handoff", "call"]
"""What kind of step made it: the first two speak to the customer, a hand-off to a colleague, a call to a function."""

MessageStatus = Literal[
    "planned",  # a policy may still say no
    "handing_over",  # marked and committed; the call to the provider may have begun
    "sent",  # taken by the provider
    "held_out",  # would have been sent, and the customer is in the holdout
    "uncertain",  # the provider did not answer: it may have been sent
    "abandoned",  # was uncertain for so long that nobody will know
    "not_sent",  # a policy or patience said no
    "withdrawn",  # planned, and taken back
    "refused",  # the provider said no
]
"""What became of it so far. It only moves forward, except that a mark whose call never began is taken back."""

PolicyMoment = Literal["planned", "hand_over", "both"]
"""When the policies are asked: as the step begins, and in the transaction that marks the hand-over. Where that is one
transaction and nothing happened in between, one answer is good for both."""

VerdictKind = Literal["allow", "defer", "drop", "hold_out"]
"""What the policies answer."""

FeedDisplay = Literal["modal", "banner", "sidebar", "inbox"]
"""How the product shows an in-app message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LastVerdict:
    """The latest verdict on a message: one that says the same again is counted and not kept anew."""

    asked: PolicyMoment
    channel: str
    policy: str  # the one that decided; all: every one allows it
    verdict: VerdictKind
    until: datetime | None  # when it is asked again
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRow:
    """One receipt as it is kept. The same source twice is kept once."""

    customer_id: int
    message_id: int
    source_id: str
    kind: str  # a ReceiptKind of a callback, or a SendStatus of a hand-over
    occurred_at: datetime
    received_at: datetime
    data: Mapping[str, Any]  # code, link, provider, attempt: what is known
