"""The transaction that authorises messages: policies are asked, cap slots are reserved, the message is written.

What it gives back carries everything the call needs, so that sending happens without the database. An in-app message
needs no call: it is sent by the transaction itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from channels.base import FEED, OutboundMessage, SendStatus
from channels.table import traits_of
from orchestrator.clock import monotonic
from orchestrator.core.catalogue import PublishedPlaybook
from orchestrator.core.consent.tracking import may_track
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow, NewCapSlot
from orchestrator.core.machine.events import BeforeHandOver, DeliveryOutcome, HandedOver, Settled
from orchestrator.core.policies.request import Allow, CapSlot, Drop, HoldOut, Verdict
from orchestrator.core.quiet_hours import silent_from
from orchestrator.core.template_values import template_values
from orchestrator.core.zones import zones_of
from orchestrator.language.model import Ask, Send
from orchestrator.records.message import MessageKind, ReceiptRow
from orchestrator.service.context import Batch
from orchestrator.service.delivery.provider_gates import Remaining
from orchestrator.service.enrollment.event_queue import apply_event, apply_pending, of_enrollment
from orchestrator.service.enrollment.missed import miss
from orchestrator.service.messages.apply_verdict import apply_verdict
from orchestrator.service.messages.ask_policies import (
    address_for,
    ask_policies,
    good_for_both,
    record_verdict,
    still_fresh,
)
from orchestrator.service.messages.recheck import recheck
from orchestrator.service.messages.settle import settle
from orchestrator.service.rendering.render import RenderFailed
from orchestrator.telemetry import emit

LEASE = timedelta(seconds=60)  # machine time: longer than any call may take
SETTLE = timedelta(hours=1)  # machine time: how long an uncertain message waits for the provider's word
UNWRITABLE = "template"
PARKED_FOR = timedelta(days=3650)  # machine time: the message of a parked enrollment; its release ends it
NO_REPORT = "the worker that handed it over did not report back"
TO_CUSTOMER = ("send", "ask")


@dataclass(frozen=True, kw_only=True, slots=True)
class SendOrder:
    """What is to be written, and to whom."""

    customer_id: int
    customer_key: str
    message_id: int
    step: str
    kind: MessageKind
    channel: str
    provider: str
    address: str
    topic: str
    promotional: bool
    published: PublishedPlaybook
    because: str | None
    values: Mapping[str, Any]
    locale: str | None
    zone: ZoneInfo
    track: bool
    valid_until: datetime  # a provider that still has it then must drop it: patience, or the next quiet hours
    authorised_at: datetime


Compose = Callable[[SendOrder], OutboundMessage]
"""Writes the message: templates, links. Raises RenderFailed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorisedSend:
    """One authorised hand-over, ready to be called."""

    customer_id: int
    message_id: int
    mark: int
    attempt: int
    channel: str
    provider: str
    address: str | None  # the contact point, whose bounce marks it
    outgoing: OutboundMessage
    marked: float  # monotonic seconds, from before the commit
    settled: bool = False  # sent by the transaction: what is left is to tell open pages


def authorise_messages(
    customer: CustomerState, remaining: Remaining, compose: Compose, batch: Batch
) -> list[AuthorisedSend]:
    """Every message of one customer that may leave now, the most important first; none while there is more to hear."""
    _end_leases(customer, batch)
    if customer.inbox_waits:
        return []
    sent = [
        _authorise_one(customer, message, remaining, compose, batch)
        for message in _candidates(customer, batch)
    ]
    return [one for one in sent if one is not None]


def _authorise_one(
    customer: CustomerState, message: MessageRow, remaining: Remaining, compose: Compose, batch: Batch
) -> AuthorisedSend | None:
    """One message, if it may leave now."""
    if not _is_planned(message):
        return None
    if (waiting := customer.waiting.get(message.enrollment_id)) is not None:
        if waiting.parked:
            message.free_at, message.changed = batch.machine + PARKED_FOR, True
        return None
    if _tries_again_later(message, batch):
        _keep_place(customer, message, batch)
        return None
    work = customer.enrollments.get(message.enrollment_id)
    if work is None or not work.enrollment.state.live:
        settle(message, "withdrawn", batch.now, reason="its walk is over")
        return None
    with of_enrollment(work):
        return _authorise_due(customer, work, message, batch, remaining=remaining, compose=compose)


def _authorise_due(
    customer: CustomerState,
    work: EnrollmentWork,
    message: MessageRow,
    batch: Batch,
    *,
    remaining: Remaining,
    compose: Compose,
) -> AuthorisedSend | None:
    """What enrollment, policies and provider say of a message that is due."""
    waited_since = message.due_at
    match _judged(customer, work, message, batch):
        case Allow() if remaining.take(message.provider):
            good_for_both(message)
            sent = _authorise(customer, work, message, compose, batch)
            if sent is None:
                remaining.give_back(message.provider)
            return sent
        case Allow():  # its provider is closed, or has no place or token left
            _keep_place(customer, message, batch)
            message.due_at = min(waited_since or batch.now, batch.now)  # where it stood among those who wait
        case HoldOut():
            good_for_both(message)
            _hold_out(customer, work, message, batch)
        case _:  # put off, dropped, or taken back meanwhile
            pass
    return None


def _judged(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, batch: Batch
) -> Verdict | None:
    """What the policies say now; None when the enrollment took the message back before they were asked."""
    fresh = still_fresh(customer, message)
    if fresh is not None:
        return fresh
    apply_event(customer, work, BeforeHandOver(visit=message.visit), batch)
    if not _is_planned(message):
        return None
    judged = _stale(customer, work, message, batch) or ask_policies(
        customer, work, message, batch.catalogue, asked="hand_over"
    )
    apply_pending(customer, apply_verdict(work, message, judged, batch), batch)
    return judged[1] if _is_planned(message) else None


def _is_planned(message: MessageRow) -> bool:
    """Asked again after each event: the enrollment may have withdrawn it."""
    return message.status == "planned"


def _keep_place(customer: CustomerState, message: MessageRow, batch: Batch) -> None:
    """In this transaction no less important message gets the place it needs."""
    if _takes_place(message, batch):
        customer.cap_slots.append(_place(message, batch.now))


def _tries_again_later(message: MessageRow, batch: Batch) -> bool:
    """It was given a place before, and the provider asked for patience."""
    return message.attempt > 0 and message.free_at is not None and message.free_at > batch.machine


def _candidates(customer: CustomerState, batch: Batch) -> list[MessageRow]:
    """What is due, what a cap holds back and what is to be tried again: room goes to the most important of them."""
    found = [
        message
        for message in customer.messages.values()
        if message.status == "planned"
        and message.free_at is not None
        and (message.free_at <= batch.machine or _tries_again_later(message, batch))
        and message.due_at is not None
        and (message.due_at <= batch.now or _held_by_cap(message))
    ]
    if not any(message.due_at is not None and message.due_at <= batch.now for message in found):
        return []  # a slot that is given back makes those who wait for it due
    return sorted(found, key=lambda message: (-message.priority, message.due_at, message.id))


def _held_by_cap(message: MessageRow) -> bool:
    return message.last_verdict is not None and message.last_verdict.policy == "frequency_cap"


def _stale(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, batch: Batch
) -> tuple[str, Verdict] | None:
    action = work.published.compiled.step(message.step).action
    if not isinstance(action, Send) or action.stale_after is None:
        return None
    if batch.now <= message.planned_at + action.stale_after.span:
        return None
    dropped = Drop(policy="stale", why=f"planned more than {action.stale_after} ago")
    return record_verdict(customer, message, message.channel, dropped, "hand_over")


def tell_ended_leases(customers: Sequence[CustomerState]) -> None:
    """What a committed batch found out about earlier hand-overs."""
    for customer in customers:
        for message in customer.messages.values():
            facts = {
                "customer_id": customer.customer_id,
                "message_id": message.id,
                "channel": message.channel,
                "provider": message.provider,
            }
            if message.changed and (message.status, message.reason) == ("uncertain", NO_REPORT):
                emit("message.uncertain", **facts, code="no_report")
            elif message.status == "abandoned" and message.settled_at == customer.now:
                emit("message.abandoned", **facts)


def _end_leases(customer: CustomerState, batch: Batch) -> None:
    """A hand-over whose worker is gone is uncertain; an uncertain one nobody spoke of in time is abandoned."""
    for message in list(customer.messages.values()):
        if message.free_at is None or message.free_at > batch.machine:
            continue
        if message.status == "handing_over":
            message.status, message.reason = "uncertain", NO_REPORT
            message.free_at = batch.machine + SETTLE
            message.changed = True
        elif message.status == "uncertain":
            settle(message, "abandoned", batch.now, reason="the provider never said whether it was sent")
            work = customer.enrollments.get(message.enrollment_id)
            outcome = Settled(
                visit=message.visit, outcome=DeliveryOutcome.ABANDONED, at=batch.now, channel=message.channel
            )
            miss(customer, message.enrollment_id, outcome)
            if work is not None:
                apply_event(customer, work, outcome, batch)


def _hold_out(customer: CustomerState, work: EnrollmentWork, message: MessageRow, batch: Batch) -> None:
    message.handed_at = message.sent_at = batch.now
    settle(message, "held_out", batch.now, reason="held out")
    if _takes_place(message, batch):
        customer.reserved_slots.append(NewCapSlot(message=message, handed_at=batch.now, shadow=True))
        customer.shadow_slots.append(_place(message, batch.now))
    held = Settled(
        visit=message.visit, outcome=DeliveryOutcome.HELD_OUT, at=batch.now, channel=message.channel
    )
    apply_event(customer, work, held, batch)


def _authorise(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, compose: Compose, batch: Batch
) -> AuthorisedSend | None:
    """Mark the hand-over; None when the message cannot be written for this customer."""
    message.attempt += 1
    message.mark += 1
    message.changed = True
    customer.changes += 1
    message.address = address_for(customer, message.channel)[0]
    tracked = may_track(customer.consents, message.channel, customer.region, customer.now)
    marked = monotonic()
    try:
        outgoing = compose(_order(customer, work, message, batch, track=tracked))
    except Exception as error:  # noqa: BLE001 - one message that cannot be written costs no other
        _refuse_unwritable(customer, work, message, error, batch)
        return None
    message.handed_at = batch.now
    if _takes_place(message, batch):
        customer.reserved_slots.append(NewCapSlot(message=message, handed_at=batch.now, shadow=False))
        customer.cap_slots.append(_place(message, batch.now))
    message.status, message.free_at = "handing_over", batch.machine + LEASE
    handed = HandedOver(visit=message.visit, channel=message.channel, tracked=tracked)
    apply_event(customer, work, handed, batch)
    local = message.provider == FEED
    if local:
        _send_here(customer, work, message, outgoing, batch)
    return AuthorisedSend(
        customer_id=customer.customer_id,
        message_id=message.id,
        mark=message.mark,
        attempt=message.attempt,
        channel=message.channel,
        provider=message.provider,
        address=message.address,
        outgoing=outgoing,
        marked=marked,
        settled=local,
    )


def _send_here(
    customer: CustomerState,
    work: EnrollmentWork,
    message: MessageRow,
    outgoing: OutboundMessage,
    batch: Batch,
) -> None:
    """An in-app message is in the feed with this commit: nothing can come between."""
    message.sent_at = batch.now
    message.provider_id = outgoing.message_id
    settle(message, "sent", batch.now)
    customer.receipts.append(
        hand_over_receipt(message, SendStatus.SENT.value, {"provider": message.provider}, batch)
    )
    sent = Settled(visit=message.visit, outcome=DeliveryOutcome.SENT, at=batch.now, channel=message.channel)
    apply_event(customer, work, sent, batch)


def _refuse_unwritable(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, error: Exception, batch: Batch
) -> None:
    """A template that fails for this customer is the outcome ``failed``; nobody was called."""
    message.code = UNWRITABLE
    reason = error.reason if isinstance(error, RenderFailed) else type(error).__name__
    settle(message, "refused", batch.now, reason=reason)
    facts = {"provider": message.provider, "code": UNWRITABLE}
    customer.receipts.append(hand_over_receipt(message, SendStatus.REFUSED.value, facts, batch))
    recheck(customer, "frequency_cap")
    failed = Settled(
        visit=message.visit, outcome=DeliveryOutcome.FAILED, at=batch.now, channel=message.channel
    )
    apply_event(customer, work, failed, batch)


class HandOver(Protocol):
    """What a receipt of a hand-over names: the message itself, or the job that was cut from it."""

    @property
    def customer_id(self) -> int: ...
    @property
    def message_id(self) -> int: ...
    @property
    def mark(self) -> int: ...
    @property
    def attempt(self) -> int: ...


def hand_over_receipt(over: HandOver, kind: str, facts: Mapping[str, Any], batch: Batch) -> ReceiptRow:
    """What became of one hand-over, kept once however often it is filed."""
    return ReceiptRow(
        customer_id=over.customer_id,
        message_id=over.message_id,
        source_id=f"hand_over:{over.mark}",
        kind=kind,
        occurred_at=batch.now,
        received_at=batch.now,
        data={name: value for name, value in {**facts, "attempt": over.attempt}.items() if value is not None},
    )


def _order(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, batch: Batch, *, track: bool
) -> SendOrder:
    return SendOrder(
        customer_id=customer.customer_id,
        customer_key=customer.key,
        message_id=message.id,
        step=message.step,
        kind=message.kind,
        channel=message.channel,
        provider=message.provider,
        address=message.address or customer.key,
        topic=message.topic,
        promotional=message.promotional,
        published=work.published,
        because=work.enrollment.because,
        values=template_values(customer, work),
        locale=customer.locale,
        zone=customer.facts.zone,
        track=track,
        valid_until=_valid_until(customer, work, message, batch),
        authorised_at=batch.now,
    )


def _valid_until(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, batch: Batch
) -> datetime:
    """A text that the provider queues must not come out in the night, nor after anybody would still want it."""
    if not (traits_of(message.channel).provider_queues and message.promotional):
        return message.give_up_at
    policy = batch.catalogue.policy
    zones = zones_of(customer.timezone, customer.timezone_source, customer.points, policy.default_zone).zones
    windows = (*policy.quiet_hours, *work.published.playbook.guardrails.quiet_hours)
    silent = silent_from(batch.now, message.channel, customer.region, zones, windows)
    return min(message.give_up_at, silent) if silent is not None else message.give_up_at


def _takes_place(message: MessageRow, batch: Batch) -> bool:
    return message.kind in TO_CUSTOMER and batch.catalogue.policy.counts_toward_caps(message.topic)


def _place(message: MessageRow, at: datetime) -> CapSlot:
    return CapSlot(handed_at=at, channel=message.channel, topic=message.topic, priority=message.priority)


def display_of(job: SendOrder) -> str | None:
    """How an in-app message is shown, as the step says."""
    action = job.published.compiled.step(job.step).action
    return action.as_ if isinstance(action, Send | Ask) else None
