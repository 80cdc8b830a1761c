"""What a policy is asked, and the closed set of its answers.

A :class:`PolicyRequest` is one message on one channel at one instant, with everything the policies may look at already
loaded. It is asked twice: when the message is planned and in the transaction that marks its hand-over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from orchestrator.language.account.policy import Waiting
from orchestrator.language.model import Cap, QuietWindow
from orchestrator.records.consent import Consent
from orchestrator.records.cooldown import CooldownScope
from orchestrator.records.message import MessageKind


@dataclass(frozen=True, kw_only=True, slots=True)
class ActiveCooldown:
    """One cooldown in force or past. ``scope`` is everything, topic or playbook."""

    scope: CooldownScope
    scope_value: str
    reason: str
    ends_at: datetime
    enrollment_id: int | None = None
    visit: int | None = None  # of the cooldown step that set it


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenHold:
    """A reason not to pitch now. ``ends_at`` None: until closed. ``topics`` empty: every promotional topic."""

    name: str
    opened_at: datetime
    ends_at: datetime | None
    topics: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class CapSlot:
    """One place taken under the caps."""

    handed_at: datetime
    channel: str
    topic: str
    priority: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyRequest:
    now: datetime
    channel: str
    kind: MessageKind
    topic: str
    promotional: bool
    playbook: str
    enrollment_id: int
    held_out: bool
    give_up_at: datetime
    when_capped: Literal["defer", "skip"] = "defer"
    when_held: Waiting = "defer"  # what the account wants of messages that a hold stops
    when_resting: Waiting = "defer"
    obeys_caps: bool | None = None  # None: as promotional

    # the customer
    erased: bool = False
    goal_met: bool = False
    reason_gone: bool = False
    address: str | None = None
    address_invalid: str | None = None  # why the contact point must not be used
    last_seen_at: datetime | None = None
    region: str | None = None
    zones: tuple[ZoneInfo, ...] = ()  # every plausible zone, best first
    zone_source: str | None = None  # profile, device, phone, account; None: nothing is known
    consents: tuple[Consent, ...] = ()
    cooldowns: tuple[ActiveCooldown, ...] = ()
    holds: tuple[OpenHold, ...] = ()
    cap_slots: tuple[
        CapSlot, ...
    ] = ()  # real ones, or shadows when held_out; including those reserved in this batch

    # the rules: the account's and the playbook's own, together
    caps: tuple[Cap, ...] = ()
    quiet: tuple[QuietWindow, ...] = ()
    needs_consent: frozenset[str] = frozenset()  # channels that need an express grant
    in_app_seen_within_days: int = 14


@dataclass(frozen=True, kw_only=True, slots=True)
class Allow:
    """Speak now."""

    policy: str = "all"
    why: str = "every policy allows it"
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Defer:
    """Not now; ask again at ``until``. ``inputs`` are references, words and numbers, never contact points.

    ``freezes``: the message's patience stands still until then.
    """

    until: datetime
    policy: str
    why: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    freezes: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """Never; ``why`` is a sentence a support person can read to the customer. ``cancels``: the walk ends too."""

    policy: str
    why: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    cancels: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldOut:
    """Everything allows it, and the customer is in the holdout: recorded, not sent."""

    policy: str = "held_out"
    why: str = "the customer is in the holdout of this playbook"
    inputs: Mapping[str, Any] = field(default_factory=dict)


Verdict = Allow | Defer | Drop | HoldOut
