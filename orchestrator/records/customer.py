"""A customer's profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactPoint:
    """Where one channel reaches a customer."""

    channel: str
    address: str
    source: str  # who said so: identify, or a provider
    invalid_reason: str | None  # why it must not be used


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """One customer with everything that is not history."""

    id: int
    key: str  # the product's own
    account_id: int | None
    account_key: str | None  # the product's own
    attributes: Mapping[str, Any]
    account_attributes: Mapping[str, Any]
    tags: tuple[str, ...]
    timezone: str | None  # a name of the IANA database
    timezone_source: str | None  # profile, device, phone or account
    locale: str | None
    region: str | None  # a country, perhaps with its part: US-CA
    last_seen_at: datetime | None  # in the product
    erased_at: datetime | None
    created_at: datetime
    updated_at: datetime
    contact_points: tuple[ContactPoint, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountMember:
    """A customer of the account, as far as their colleagues' enrollments ask."""

    customer_id: int
    role: str | None  # the customer's attribute of that name


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownAccount:
    """An account, as far as one of its customers asks."""

    key: str  # the product's own
    attributes: Mapping[str, Any]
    members: tuple[AccountMember, ...]  # in id order
