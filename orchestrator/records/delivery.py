"""What of a delivery stays with us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.base import OutboundMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalCopy:
    """A message that became visible in a feed, or that the sandbox took instead of a provider."""

    customer_id: int
    message_id: int
    outgoing: OutboundMessage  # as it was handed over
    provider: str
    expires_at: datetime | None  # from then on it is in no feed
