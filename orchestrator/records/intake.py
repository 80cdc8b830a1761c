"""What callers hand in: profile facts, signals, responses; and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ResponseOutcome = Literal[
    "seen", "opened", "clicked", "dismissed", "answered", "replied", "closed", "negative"
]
"""What a person may be reported to have done with a message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identify:
    """Profile facts about a person or an account.

    ``traits`` may hold ``email``, ``phone``, ``timezone``, ``locale``, ``region``, ``account`` (the account's key),
    ``tags`` and any attribute. A trait of None removes it.
    """

    key: str  # the product's own
    traits: Mapping[str, Any]
    source_id: str | None = None  # makes it count once
    occurred_at: datetime | None = None  # None: now
    account: bool = False  # the key is an account's; its traits are told to every member


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One signal about a person or an account."""

    key: str  # the product's own
    event: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    source_id: str | None = None  # makes it count once
    occurred_at: datetime | None = None  # None: now
    account: bool = False  # the key is an account's; every member gets the signal
    context: Mapping[str, Any] = field(default_factory=dict)  # device time zone, locale ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportedResponse:
    """What a person did with one message, as the product or a page reports it."""

    message_id: str  # public: m_...
    outcome: str  # checked to be a ResponseOutcome where it is taken in
    detail: str | None = None  # the link, the button, the answer's key or the reason of a closing
    comment: str | None = None  # free text
    source_id: str | None = None  # makes it count once; None: once for each outcome and detail
    at: datetime | None = None  # None: now


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """One item of a batch that was not taken."""

    index: int  # its place in the batch, from 0
    path: str  # a JSON path to what is wrong
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestReport:
    """What became of a batch."""

    taken: int  # new
    repeated: int  # known by their source id: they changed nothing
    refused: tuple[Refused, ...] = ()
