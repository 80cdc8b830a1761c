"""A signal in a customer's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalRow:
    """One signal as it is kept."""

    customer_id: int
    id: int  # the inbox row it came in as: tells two of one instant apart
    name: str
    occurred_at: datetime
    received_at: datetime
    properties: Mapping[str, Any]
