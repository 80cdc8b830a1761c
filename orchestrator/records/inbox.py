"""A customer's inbox: what is appended, what waits, what enrollments ask for, and the history that signals become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Literal

InboxKind = Literal["consider", "identify", "policy", "receipt", "response", "signal", "start"]
"""What an inbox row tells its customer's enrollments."""

BACKFILL_AFTER = timedelta(hours=1)
"""A fact that happened so long before it was told is history: nobody waits for it at a screen."""


class Lane(IntEnum):
    """In which row of waiting customers an inbox row lets its customer be found. A customer who was found has the
    whole inbox applied in the order it came, whatever the lanes of its rows."""

    ANSWERS = 0  # what people did, what providers report, starts
    SIGNALS = 1  # what the product tells as it happens
    BACKGROUND = 2  # back-fills, scans, another policy
    BEHIND = 10  # added to a lane: stands behind other rows of its customer and is found with them


def lane_of(kind: InboxKind, *, age: timedelta = timedelta(0)) -> Lane:
    """The lane of a fact from outside that happened ``age`` before it was told."""
    if kind in ("response", "receipt", "start"):
        return Lane.ANSWERS
    if kind in ("consider", "policy") or age > BACKFILL_AFTER:
        return Lane.BACKGROUND
    return Lane.SIGNALS


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxItem:
    """One fact from outside for one customer, as it is appended to the customer's inbox."""

    customer_id: int
    kind: InboxKind
    source_id: str  # the same one twice is taken once
    occurred_at: datetime  # stored as no later than now
    data: Mapping[str, Any]  # JSON values, by kind


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxRow:
    """One fact that waits to be applied."""

    id: int  # the order in which rows came
    kind: str  # an InboxKind; another one is refused where it is applied
    occurred_at: datetime
    received_at: datetime
    data: Mapping[str, Any]  # JSON values, by kind


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxRequest:
    """What one customer's enrollment asks of this or another customer, by way of the inbox: its own lock, later."""

    id: int = 0  # given when it is saved
    customer_id: int  # whose inbox
    kind: Literal["start", "consider"]
    data: Mapping[str, Any]  # JSON values
    lane: Lane = Lane.SIGNALS  # somebody's live step waits for it


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalRow:
    """One signal as it is kept."""

    customer_id: int
    id: int  # the inbox row it came in as: tells two of one instant apart
    name: str
    occurred_at: datetime
    received_at: datetime
    properties: Mapping[str, Any]
