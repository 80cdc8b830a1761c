"""Withdrawals of people whom a restored database did not know, when they come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from orchestrator.core.customer_state import CustomerState
from orchestrator.records.consent import Consent, NewConsentRow
from orchestrator.store.consents import PostgresConsents

_AWAITING = text("""
SELECT identity_hash, channel, topic, occurred_at FROM awaiting_withdrawals
 WHERE identity_hash = ANY(CAST(:hashes AS text[])) ORDER BY occurred_at, identity_hash, channel, topic""")


def recall(consents: PostgresConsents, customers: Sequence[CustomerState], now: datetime) -> None:
    """Put what waits for these locked customers, by key or address, into their ledgers, each once, and into what
    policies read of them."""
    bearers: dict[str, list[CustomerState]] = defaultdict(list)
    for customer in customers:
        addresses = (address for address, _ in customer.points.values())
        for identity in dict.fromkeys((customer.key, *addresses)):
            bearers[consents.hash_key(identity)].append(customer)
    rows = []
    for found in consents.connection.execute(_AWAITING, {"hashes": list(bearers)}):
        for customer in bearers[found.identity_hash]:
            said = Consent(
                channel=found.channel,
                topic=found.topic,
                granted=False,
                basis="express",
                since=found.occurred_at,
            )
            if said not in customer.consents:
                customer.consents.append(said)
                rows.append(_row(customer.customer_id, said, found.identity_hash, now))
    if rows:
        consents.append(rows)


def _row(customer_id: int, said: Consent, identity: str, now: datetime) -> NewConsentRow:
    return NewConsentRow(
        customer_id=customer_id,
        source_id=f"awaited:{identity[:32]}:{said.channel}:{said.topic}:{said.since.isoformat()}",
        action="revoked",
        channel=said.channel,
        topic=said.topic,
        basis="express",
        method="restored_log",
        source="withdrawal log",
        actor="restored",
        occurred_at=said.since,
        recorded_at=now,
    )
