"""Holds that signals open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldRow:
    """A hold as it is opened."""

    customer_id: int
    name: str  # of the account's rule
    opened_at: datetime
    ends_at: datetime | None  # None: until a signal closes it
