"""A question every policy allows, to be changed in the one respect a story is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.core.policies.request import PolicyRequest
from orchestrator.core.zones import zone
from orchestrator.language.model import Cap, QuietWindow
from orchestrator.language.moments import Duration
from orchestrator.records.consent import Consent

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
BERLIN, NEW_YORK, AUCKLAND = (
    found for name in ("Europe/Berlin", "America/New_York", "Pacific/Auckland") if (found := zone(name))
)


def a_question(**changes: Any) -> PolicyRequest:
    """Noon in winter, an upsell email to a customer in Berlin whom nothing speaks against."""
    plain = PolicyRequest(
        now=NOON,
        channel="email",
        kind="send",
        topic="upsell",
        promotional=True,
        playbook="power_user_upsell",
        enrollment_id=7,
        held_out=False,
        give_up_at=NOON + timedelta(days=3),
        address="somebody@example.org",
        last_seen_at=NOON - timedelta(days=1),
        zones=(BERLIN,),
        zone_source="profile",
    )
    return replace(plain, **changes)


def said(channel: str, topic: str, *, granted: bool, days_ago: float = 10, **more: Any) -> Consent:
    return Consent(
        channel=channel,
        topic=topic,
        granted=granted,
        basis=more.pop("basis", "express"),
        since=NOON - timedelta(days=days_ago),
        **more,
    )


def yes(channel: str, topic: str, days_ago: float = 10, **more: Any) -> Consent:
    return said(channel, topic, granted=True, days_ago=days_ago, **more)


def no(channel: str, topic: str, days_ago: float = 10, **more: Any) -> Consent:
    return said(channel, topic, granted=False, days_ago=days_ago, **more)


def a_cap(at_most: int, days: int, **only: str) -> Cap:
    return Cap(at_most=at_most, within=Duration(count=days, unit="d"), **only)


def silence(channel: str, from_: str, until: str, **more: Any) -> QuietWindow:
    return QuietWindow(channel=channel, from_=from_, until=until, **more)
