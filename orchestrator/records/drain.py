"""What one drain did, and whom a process that died had in hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """What one drain did."""

    customers: int = 0  # decided about
    messages: int = 0  # handed over
    more: bool = False  # more is due right now
    again_in: float | None = (
        None  # seconds until more may leave, when that is too soon to wait for the next sweep
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class InterruptedCustomer:
    """A customer whom a dead process had in hand."""

    customer_id: int
    crash_count: int  # how many processes died with the customer in hand
