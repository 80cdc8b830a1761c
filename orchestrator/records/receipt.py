"""What was heard about a message: the answer of a hand-over, a provider's callback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRow:
    """One receipt as it is kept. The same source twice is kept once."""

    customer_id: int
    message_id: int
    source_id: str
    kind: str  # a ReceiptKind of a callback, or a SendStatus of a hand-over
    occurred_at: datetime
    received_at: datetime
    data: Mapping[str, Any]  # code, link, provider, attempt: what is known
