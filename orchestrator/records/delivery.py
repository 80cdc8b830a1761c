"""What of a delivery stays with us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalCopy:
    """A message that became visible in a feed, or that the sandbox took instead of a provider."""

    customer_id: int
    message_id: int
    channel: str
    provider: str
    content: Mapping[str, Any]  # as it was handed over, in JSON values
    display: str | None  # how a feed shows it; None: it goes to no feed
    expires_at: datetime | None  # from then on it is in no feed
