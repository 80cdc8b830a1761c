"""Profile facts: traits become contact points, zone, locale, region and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import Work
from orchestrator.core.zones import zone as known_zone
from orchestrator.core.zones import zones_of

_POINTS = {"email": "email", "phone": "sms", "whatsapp": "whatsapp", "chat": "chat"}


def apply_traits(work: Work, data: Mapping[str, Any], catalogue: Catalogue) -> bool:
    """Merge traits into the customer; a trait of None removes it. True if anything changed."""
    before = (dict(work.facts.attributes), dict(work.points), work.timezone, work.locale, work.region)
    for name, value in data.get("traits", {}).items():
        _apply(work, name, value)
    account_id = data.get("account_id")
    if account_id is not None and account_id != work.account_id:
        work.account_id = account_id
        work.profile_changed = True
    account = data.get("account_traits")
    if account is not None:
        merged = {**work.facts.account, **account}
        work.facts.account = {name: value for name, value in merged.items() if value is not None}
    device_zone = data.get("device_zone")
    if device_zone and work.timezone_source != "profile" and known_zone(device_zone) is not None:
        work.timezone, work.timezone_source = device_zone, "device"
    after = (dict(work.facts.attributes), dict(work.points), work.timezone, work.locale, work.region)
    if after != before:
        work.profile_changed = True
        work.facts.zone = zones_of(
            work.timezone, work.timezone_source, work.points, catalogue.policy.default_zone
        ).zones[0]
    return after != before or account is not None


def carries_presence(data: Mapping[str, Any], name: str, catalogue: Catalogue) -> bool:
    """Whether a signal shows the person in the product: her own, and not one the back office sends about her."""
    if data.get("account"):
        return False
    return not any(
        name in (*rule.opened_by, *rule.closed_by) and rule.longest is None for rule in catalogue.policy.holds
    )


def _apply(work: Work, name: str, value: Any) -> None:
    match name:
        case "email" | "phone" | "whatsapp" | "chat":
            channel = _POINTS[name]
            known = work.points.get(channel)
            if value is None:
                work.points.pop(channel, None)
                work.points_changed[channel] = None
            elif known is None or known[0] != value:
                work.points[channel] = (value, None)
                work.points_changed[channel] = value
        case "timezone":
            work.timezone, work.timezone_source = value, "profile" if value else None
        case "locale":
            work.locale = value
            _attribute(work, name, value)
        case "region":
            work.region = value
            _attribute(work, name, value)
        case "tags":
            work.facts.tags = tuple(value or ())
            work.profile_changed = True
        case _:
            _attribute(work, name, value)


def _attribute(work: Work, name: str, value: Any) -> None:
    if value is None:
        work.facts.attributes.pop(name, None)
    else:
        work.facts.attributes[name] = value
