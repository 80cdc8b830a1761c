"""What forgetting a customer asks of the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

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

    def identities_of(self, customer_id: int) -> tuple[str, ...]:
        """The key and the addresses of a customer: what must be hashed before it is blanked."""
        ...

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        """Blank everything personal; keyed hashes of ``identities`` stay."""
        ...
