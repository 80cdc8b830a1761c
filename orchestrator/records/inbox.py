"""A customer's inbox: what is appended, what waits, what enrollments ask for, and the history that signals become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

InboxKind = Literal["consider", "identify", "policy", "receipt", "response", "signal", "start"]
"""What an inbox row tells its customer's enrollments."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalRow:
    """One signal as it is kept."""

    customer_id: int
    id: int  # the inbox row it came in as: tells two of one instant apart
    name: str
    occurred_at: datetime
    received_at: datetime
    properties: Mapping[str, Any]
