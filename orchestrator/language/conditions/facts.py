"""What a condition may ask about one customer: the port between the language and whoever loaded the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalOccurrence:
    """One signal in a customer's history. ``properties`` are JSON values."""

    name: str
    occurred_at: datetime
    properties: Mapping[str, Any]


class Facts(Protocol):
    """One customer at one instant."""

    @property
    def now(self) -> datetime: ...

    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def entered_at(self) -> datetime | None:
        """When the enrollment began; None before there is one."""
        ...

    def value(self, name: str) -> Any | None:
        """An attribute, computed value, context field or dotted run fact as a JSON value; None when missing.

        A date or time is an ISO 8601 text or a datetime.
        """
        ...

    def history(self, event: str) -> Sequence[SignalOccurrence]:
        """Every remembered signal of that name, oldest first, none later than ``now``."""
        ...
