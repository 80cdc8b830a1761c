"""What consent alone says about promotion by a channel: caps, quiet hours and the rest are asked besides."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from orchestrator.core.consent.scope import IMPLIED, in_force
from orchestrator.records.consent import Consent


def express_in_force(consents: Iterable[Consent], channel: str, topic: str, now: datetime) -> Consent | None:
    """The row that decides where an express grant is needed: a relationship alone opens nothing there."""
    express = [row for row in consents if not (row.granted and row.basis in IMPLIED)]
    return in_force(express, channel, topic, now)


def may_promote(
    consents: Collection[Consent], channel: str, topic: str, now: datetime, *, needs_consent: Collection[str]
) -> bool:
    """``needs_consent``: the channels that carry promotion only to those who expressly said yes."""
    if channel in needs_consent:
        row = express_in_force(consents, channel, topic, now)
        return row is not None and row.granted
    row = in_force(consents, channel, topic, now)
    return row is None or row.granted
