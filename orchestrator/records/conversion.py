"""What was earned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversionRow:
    """An offer that was taken, once in an enrollment. The message it is ascribed to is found when it is saved."""

    customer_id: int
    enrollment_id: int
    event: str  # the signal, by the name the goal gives it
    at: datetime
    value: float | None  # in the account's currency
    held_out: bool
