"""What a customer ever said about being spoken to, and what is in force for each channel and topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.consent.promotion import may_promote
from orchestrator.core.consent.scope import TRACKING, in_force
from orchestrator.core.consent.tracking import may_track
from orchestrator.records.consent import Consent, ConsentEntry, ConsentHistory, ConsentInForce
from orchestrator.service.context import ServiceContext


def history(services: ServiceContext, customer_key: str) -> ConsentHistory:
    """Who said what, when, how and what they were told; and what decides for each channel and topic now.

    Raises NotFound.
    """
    with services.store.begin() as transaction:
        customer_id = transaction.customers.find(customer_key)
        policy = transaction.policy()
        now = transaction.instants().business
        said = transaction.consents.said(customer_id, now)
        entries = tuple(transaction.consents.history(customer_id))
        region = transaction.customers.region_of(customer_id)

    def asked(channel: str, topic: str) -> ConsentInForce:
        if topic == TRACKING:
            allowed = may_track(said, channel, region, now)
        else:
            allowed = may_promote(said, channel, topic, now, needs_consent=policy.needs_consent)
        return _in_force(said, entries, channel, topic, now, may_speak=allowed)

    topics = [*(topic.name for topic in policy.topics if topic.promotional), TRACKING]
    return ConsentHistory(
        customer=customer_key,
        at=now,
        entries=entries,
        in_force=tuple(asked(channel, topic) for channel in policy.consent_channels for topic in topics),
    )


def _in_force(
    said: Sequence[Consent],
    entries: Sequence[ConsentEntry],
    channel: str,
    topic: str,
    now: datetime,
    *,
    may_speak: bool,
) -> ConsentInForce:
    row = in_force(said, channel, topic, now)
    if row is None:
        return ConsentInForce(channel=channel, topic=topic, says="nothing", may_speak=may_speak)
    return ConsentInForce(
        channel=channel,
        topic=topic,
        says="granted" if row.granted else "withdrawn",
        may_speak=may_speak,
        since=row.since,
        expires_at=row.expires_at,
        basis=row.basis,
        entry=_entry(row, entries),
    )


def _entry(row: Consent, entries: Sequence[ConsentEntry]) -> int | None:
    """The ledger row behind a row of the present state: the latest of its kind in its pair, said at that instant."""
    kinds = ("granted", "confirmed") if row.granted else ("revoked", "erased")
    return max(
        (
            entry.id
            for entry in entries
            if (entry.channel, entry.topic) == (row.channel, row.topic)
            and entry.action in kinds
            and min(entry.occurred_at, entry.recorded_at) == row.since
        ),
        default=None,
    )
