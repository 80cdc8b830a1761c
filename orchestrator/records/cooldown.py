"""Cooldowns that enrollments begin and lift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class CooldownRow:
    """A cooldown as it is kept."""

    customer_id: int
    scope: str  # everything, topic or playbook
    scope_value: str  # the topic's or playbook's name, or *
    reason: str
    enrollment_id: int | None  # None: the customer asked for it
    visit: int | None  # of the cooldown step
    shadow: bool  # of a held-out enrollment: counts for held-out ones only
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LiftedCooldown:
    """The cooldown that one visit of one enrollment began, ended early."""

    enrollment_id: int
    visit: int
