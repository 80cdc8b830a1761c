"""A customer's inbox inside the engine: a row as it waits there, and a row that an enrollment asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


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
