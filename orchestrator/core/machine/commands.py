"""What ``decide`` wants done: every effect of a decision is one of these, carried out by the service layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.core.machine.enrollment import EnrollmentSnapshot
from orchestrator.records.cooldown import CooldownScope


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanMessage:
    """Write the message of this visit; policies decide when, and whether, it leaves."""

    step: str
    visit: int
    give_up_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SetPatience:
    """The unsent message of this visit is given up at another instant: patience stood still, or goes on."""

    visit: int
    give_up_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawMessage:
    """Cancel what is unsent and hide what is unseen; with ``keep_until`` it may be seen until then."""

    visit: int
    reason: str
    keep_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BeginCooldown:
    """Begin a cooldown."""

    visit: int
    scope: CooldownScope
    scope_value: str
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LiftCooldown:
    """End the cooldown this visit began."""

    visit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SetTraits:
    attributes: Mapping[str, Any] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StartEnrollment:
    """Begin another enrollment, of this customer or of a colleague with one of these roles, in its own transaction."""

    playbook: str
    one_of: tuple[str, ...]
    context: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordConversion:
    """Record that the offer was taken."""

    event: str
    at: datetime
    value: float | None


Command = (
    PlanMessage
    | SetPatience
    | WithdrawMessage
    | BeginCooldown
    | LiftCooldown
    | SetTraits
    | StartEnrollment
    | RecordConversion
)


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One journal line. ``changes`` are the fields of the state that this line changed, as JSON values."""

    event: str
    step: str
    visit: int
    outcome: str | None = None
    to_step: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The enrollment after it, the effects wanted, and the journal lines that explain both."""

    enrollment: EnrollmentSnapshot
    commands: tuple[Command, ...] = ()
    entries: tuple[JournalEntry, ...] = ()
