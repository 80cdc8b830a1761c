"""One locked customer in memory: the rows as loaded, changed while events are applied, saved once.

Nothing here decides. :mod:`orchestrator.service.delivery.turn` changes what is here and
:mod:`orchestrator.store.batch.save` writes what changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.core.catalogue import PublishedPlaybook
from orchestrator.core.machine.commands import JournalEntry
from orchestrator.core.machine.enrollment import EnrollmentSnapshot
from orchestrator.core.machine.events import EnrollmentEvent
from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.core.policies.request import ActiveCooldown, CapSlot, OpenHold, Verdict
from orchestrator.records.consent import Consent
from orchestrator.records.cooldown import CooldownRow, HoldRow, LiftedCooldown
from orchestrator.records.customer import AccountMember, KnownAccount
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.enrollment import ConversionRow, RefusalRow
from orchestrator.records.inbox import InboxRequest, InboxRow, SignalRow
from orchestrator.records.message import LastVerdict, MessageKind, MessageStatus, ReceiptRow

UNSETTLED: frozenset[MessageStatus] = frozenset({"planned", "handing_over", "uncertain"})


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedWithdrawal:
    """A message leaves the feed: at once, or when it was to be kept until."""

    keep_until: datetime | None = None


@dataclass(kw_only=True, slots=True)
class VerdictRecord:
    """One verdict to keep: a repeat of the last one only counts up."""

    message: MessageRow
    said: LastVerdict
    inputs: Mapping[str, Any]
    repeat: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshVerdict:
    """What the policies said in this transaction, good as long as nothing has happened to the customer since."""

    record: VerdictRecord
    verdict: Verdict
    channel: str
    changes: int  # of the customer, when they were asked


@dataclass(kw_only=True, slots=True)
class MessageRow:
    """A row of ``messages`` with its ``dispatch`` row."""

    customer_id: int
    id: int
    enrollment_id: int
    playbook_id: int
    playbook: str
    step: str
    visit: int
    kind: MessageKind
    channels: tuple[str, ...]
    channel: str
    topic: str
    promotional: bool
    priority: int
    held_out: bool
    planned_at: datetime
    give_up_at: datetime
    provider: str
    expires_at: datetime | None = None
    status: MessageStatus = "planned"
    reason: str | None = None
    attempt: int = 0
    mark: int = 0  # number of the latest hand-over: its answer is filed by it
    handed_at: datetime | None = None
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    provider_id: str | None = None
    address: str | None = None
    """The address that this transaction hands it to."""
    address_hash: str | None = None
    """Keyed, of the address it was handed to."""
    address_current: bool = True
    """As loaded: the address it was handed to is still the one of its channel, or nobody wrote down which it was."""
    code: str | None = None
    responses: dict[str, str] = field(default_factory=dict)
    due_at: datetime | None = None  # dispatch
    free_at: datetime | None = None  # dispatch, machine time
    in_feed: bool = False
    seen: bool = False
    verdict_seq_stored: int | None = None  # None: the message is not stored yet
    last_verdict: LastVerdict | None = None
    fresh_verdict: FreshVerdict | None = None
    changed: bool = False
    dispatched: bool = False  # a dispatch row is stored
    hide: FeedWithdrawal | None = None

    @property
    def message_id(self) -> int:
        return self.id

    @property
    def unsettled(self) -> bool:
        return self.status in UNSETTLED


@dataclass(kw_only=True, slots=True)
class EnrollmentWork:
    """One enrollment with what the store keeps beside it."""

    enrollment: EnrollmentSnapshot
    published: PublishedPlaybook
    rev: int
    seq: int
    start_key: str | None = None
    due_at: datetime | None = None  # of the stored timer
    timer_visit: int | None = None
    new: bool = False
    changed: bool = False
    missed: Sequence[Mapping[str, Any]] = ()  # events it did not hear while it was waiting, as JSON values
    caught_up: bool = False  # what it missed is applied
    entries: list[JournalEntry] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class WaitingEnrollment:
    """A live enrollment that does not go on here: it is parked, or this process cannot read its version or its state.

    What it does not hear meanwhile is kept, and applied when it goes on.
    """

    enrollment_id: int
    playbook: str
    reentry_key: str
    parked: bool  # until a person lets it go on; else until a process comes that can read its version
    unreadable: str | None = None  # why its row cannot be read, found just now
    missed: list[Mapping[str, Any]] = field(default_factory=list)  # events as JSON values


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingEvent:
    """An event on its way to an enrollment."""

    work: EnrollmentWork
    event: EnrollmentEvent


@dataclass(kw_only=True, slots=True)
class EndedEnrollment:
    """An ended enrollment, as far as re-entry asks."""

    playbook: str
    reentry_key: str
    ended_at: datetime
    any_sent: bool
    end_status: str


@dataclass(kw_only=True, slots=True)
class NewCapSlot:
    message: MessageRow
    handed_at: datetime
    shadow: bool


@dataclass(kw_only=True, slots=True)
class CustomerState:
    """Everything about one customer in one transaction."""

    customer_id: int
    key: str
    facts: CustomerFacts
    account_id: int | None
    timezone: str | None
    timezone_source: str | None
    locale: str | None
    region: str | None
    last_seen_at: datetime | None
    erased: bool
    points: dict[str, tuple[str, str | None]]
    enrollments: dict[int, EnrollmentWork]
    past: list[EndedEnrollment]
    messages: dict[tuple[int, int], MessageRow]  # (enrollment, visit)
    inbox: list[InboxRow]
    consents: list[Consent]
    cooldowns: list[ActiveCooldown]
    shadow_cooldowns: list[ActiveCooldown]
    holds: list[OpenHold]
    hold_ids: dict[str, int]
    cap_slots: list[CapSlot]
    shadow_slots: list[CapSlot]
    members: list[AccountMember]
    answer_rates: dict[str, float]
    waiting: dict[int, WaitingEnrollment] = field(default_factory=dict)
    joining: dict[int, KnownAccount] = field(default_factory=dict)
    """The accounts that the inbox says this customer belongs to, by id."""
    inbox_waits: bool = False
    """More came in than was read: no timer fires and nothing is handed over before it is applied."""

    changes: int = 0  # counted up whenever something happens to the customer that a policy may look at
    doubtful: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # enrollment: see doubtful_steps

    # what is changed
    profile_changed: bool = False
    points_changed: dict[str, str | None] = field(default_factory=dict)
    points_invalid: dict[str, tuple[str, str]] = field(default_factory=dict)  # channel: address, reason
    applied_inbox: list[int] = field(default_factory=list)
    new_signals: list[SignalRow] = field(default_factory=list)
    verdicts: list[VerdictRecord] = field(default_factory=list)
    receipts: list[ReceiptRow] = field(default_factory=list)
    reserved_slots: list[NewCapSlot] = field(default_factory=list)
    freed_slots: list[MessageRow] = field(default_factory=list)
    new_cooldowns: list[CooldownRow] = field(default_factory=list)
    lifted_cooldowns: list[LiftedCooldown] = field(default_factory=list)
    new_holds: list[HoldRow] = field(default_factory=list)
    closed_holds: list[str] = field(default_factory=list)
    conversions: list[ConversionRow] = field(default_factory=list)
    refusals: list[RefusalRow] = field(default_factory=list)
    not_entered: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # playbook, trigger, reason
    requests: list[InboxRequest] = field(default_factory=list)
    local_copies: list[LocalCopy] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.facts.now

    @property
    def account_members(self) -> list[AccountMember]:
        """Everybody of the account in id order, this customer with the role of this moment."""
        role = self.facts.attributes.get("role")
        own = AccountMember(customer_id=self.customer_id, role=None if role is None else str(role))
        others = [one for one in self.members if one.customer_id != self.customer_id]
        return sorted([*others, own], key=lambda one: one.customer_id)

    def mark_address(self, channel: str, address: str | None, reason: str) -> None:
        """Write to this address no more, if it is the channel's still."""
        known, _ = self.points.get(channel, (None, None))
        if address is not None and address == known:
            self.points[channel] = (address, reason)
            self.points_invalid[channel] = (address, reason)

    def message_by_id(self, message_id: int) -> MessageRow | None:
        return next((row for row in self.messages.values() if row.id == message_id), None)

    def in_order(self) -> list[EnrollmentWork]:
        """The live enrollments, the most important first; ties by id, so that every process goes alike."""
        live = [one for one in self.enrollments.values() if one.enrollment.state.live]
        return sorted(live, key=lambda one: (-one.published.playbook.priority, one.enrollment.enrollment_id))
