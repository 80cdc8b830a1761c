"""The members of an account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountMember:
    """A customer of the account, as far as their colleagues' enrollments ask."""

    customer_id: int
    role: str | None  # the customer's attribute of that name
