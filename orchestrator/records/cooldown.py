"""Why nothing promotional is said for a while: cooldowns that enrollments begin and lift, holds that signals open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CooldownScope = Literal["everything", "topic", "playbook"]
"""What a cooldown keeps quiet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CooldownRow:
    """A cooldown as it is kept."""

    customer_id: int
    scope: CooldownScope
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


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldRow:
    """A hold as it is opened."""

    customer_id: int
    name: str  # of the account's rule
    opened_at: datetime
    ends_at: datetime | None  # None: until a signal closes it
