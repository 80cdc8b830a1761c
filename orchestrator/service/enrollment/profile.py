"""Profile facts: traits become contact points, zone, locale, region and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.table import channel_table
from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import CustomerState
from orchestrator.core.zones import zone as known_zone
from orchestrator.core.zones import zones_of


def apply_traits(customer: CustomerState, data: Mapping[str, Any], catalogue: Catalogue) -> bool:
    """Merge traits into the customer; a trait of None removes it. True if anything changed."""
    before = _profile(customer)
    for name, value in data.get("traits", {}).items():
        _apply(customer, name, value)
    account_id = data.get("account_id")
    if account_id is not None and account_id != customer.account_id:
        _join(customer, account_id)
    account = data.get("account_traits")
    if account is not None:
        merged = {**customer.facts.account, **account}
        customer.facts.account = {name: value for name, value in merged.items() if value is not None}
    device_zone = data.get("device_zone")
    if device_zone and customer.timezone_source != "profile" and known_zone(device_zone) is not None:
        customer.timezone, customer.timezone_source = device_zone, "device"
    after = _profile(customer)
    if after != before:
        customer.profile_changed = True
        customer.facts.zone = zones_of(
            customer.timezone, customer.timezone_source, customer.points, catalogue.policy.default_zone
        ).zones[0]
    return after != before or account is not None


def _profile(customer: CustomerState) -> tuple[object, ...]:
    return (
        dict(customer.facts.attributes),
        dict(customer.points),
        customer.timezone,
        customer.locale,
        customer.region,
        customer.account_id,
    )


def _join(customer: CustomerState, account_id: int) -> None:
    """Give the customer this account's facts and colleagues: the next item of the inbox may ask for them."""
    customer.account_id = account_id
    customer.profile_changed = True
    joined = customer.joining.get(account_id)
    customer.facts.account_key = joined.key if joined is not None else None
    customer.facts.account = dict(joined.attributes) if joined is not None else {}
    customer.members = list(joined.members) if joined is not None else []


def carries_presence(data: Mapping[str, Any], name: str, catalogue: Catalogue) -> bool:
    """Whether a signal shows the person in the product: their own, and not one the back office sends about them."""
    if data.get("account"):
        return False
    return not any(
        name in (*rule.opened_by, *rule.closed_by) and rule.longest is None for rule in catalogue.policy.holds
    )


def _apply(customer: CustomerState, name: str, value: Any) -> None:
    channel = channel_table().of_trait(name)
    if channel is not None:
        _contact_point(customer, channel.name, value)
        return
    match name:
        case "timezone":
            customer.timezone, customer.timezone_source = value, "profile" if value else None
        case "locale":
            customer.locale = value
            _attribute(customer, name, value)
        case "region":
            customer.region = value
            _attribute(customer, name, value)
        case "tags":
            customer.facts.tags = tuple(value or ())
            customer.profile_changed = True
        case _:
            _attribute(customer, name, value)


def _contact_point(customer: CustomerState, channel: str, value: str | None) -> None:
    known = customer.points.get(channel)
    if value is None:
        customer.points.pop(channel, None)
        customer.points_changed[channel] = None
    elif known is None or known[0] != value:
        customer.points[channel] = (value, None)
        customer.points_changed[channel] = value


def _attribute(customer: CustomerState, name: str, value: Any) -> None:
    if value is None:
        customer.facts.attributes.pop(name, None)
    else:
        customer.facts.attributes[name] = value
