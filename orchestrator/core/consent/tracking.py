"""Whether a customer's opens and clicks may be looked at: ``tracking`` is a purpose of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.consent.jurisdiction import EEA, country_of
from orchestrator.core.consent.scope import TRACKING, in_force
from orchestrator.records.consent import Consent

NEEDS_CONSENT = EEA | {"EU", "CH", "GB"}
"""Where it takes the person's own consent (ePrivacy Directive Art. 5(3), UK PECR reg. 6, Swiss FADP)."""


def may_track(consents: Iterable[Consent], channel: str, region: str | None, now: datetime) -> bool:
    """What was said about it decides; where nothing was said, the law of the region does."""
    row = in_force(consents, channel, TRACKING, now)
    return row.granted if row is not None else tracked_by_default(region)


def tracked_by_default(region: str | None) -> bool:
    """Whether the law of a region allows it to those who said nothing."""
    return country_of(region) not in NEEDS_CONSENT
