"""What forgetting a customer asks of the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from orchestrator.records.erasure import SentSummary


class ErasureStore(Protocol):
    """Forgetting customers."""

    def sent_to(self, customer_id: int) -> Sequence[SentSummary]:
        """By channel and provider: what was handed over about a customer, with the ids the providers gave."""
        ...

    def addresses_of(self, customer_id: int) -> dict[str, str]:
        """Channel to address."""
        ...

    def lock(self, customer_id: int) -> list[int]:
        """The strongest lock. Raises NotFound."""
        ...

    def silence(self, customer_id: int, now: datetime, *, ended: Mapping[str, Any]) -> None:
        """Settle everything planned for a locked customer, empty the feed and end every enrollment, unread.

        ``ended`` is the part of an enrollment's state that says so (JSON values).
        """
        ...

    def identities_of(self, customer_id: int) -> tuple[str, ...]:
        """The key and the addresses of a customer: what must be hashed before it is blanked."""
        ...

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        """Blank everything personal; keyed hashes of ``identities`` stay."""
        ...
