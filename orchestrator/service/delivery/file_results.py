"""Files what became of hand-overs: receipts first and always, then the message, the enrollment and its timer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from channels.base import LOCAL_PROVIDERS, Content, OutboundMessage, SendResult, SendStatus
from channels.function import UNKNOWN_FUNCTION
from channels.table import traits_of
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.machine.events import ConsentWithdrawn, DeliveryOutcome, Settled
from orchestrator.records.consent import Consent, NewConsentRow
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.message import ReceiptRow
from orchestrator.service.context import Batch
from orchestrator.service.delivery.authorise import SETTLE, AuthorisedSend, hand_over_receipt
from orchestrator.service.enrollment.event_queue import apply_event, apply_to_all
from orchestrator.service.enrollment.missed import miss
from orchestrator.service.messages.recheck import recheck
from orchestrator.service.messages.settle import settle
from orchestrator.telemetry import emit

AGED = "authorisation_aged"  # the answer of a hand-over that began too late and so made no call
BREAKER_OPEN = "breaker_open"  # of one whose provider's breaker opened after the mark: no call either
NOT_CALLED = frozenset({AGED, BREAKER_OPEN, UNKNOWN_FUNCTION})  # they use no attempt
MOST_ATTEMPTS = 6
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3600.0  # seconds of machine time


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletedSend:
    """One hand-over and its answer."""

    job: AuthorisedSend
    handed: SendResult
    tries: int = 0  # how often it could not be filed because somebody else held the customer


def file_answer(customer: CustomerState, completed: CompletedSend, batch: Batch) -> list[NewConsentRow]:
    """File one answer by the number of its mark: one of an older mark, or a repeated one, changes nothing.

    Gives the ledger's row of an opt-out that the provider tells of, if it does.
    """
    job, handed = completed.job, completed.handed
    customer.changes += 1
    customer.receipts.append(_receipt(job, handed, batch))
    message = customer.message_by_id(job.message_id)
    if message is None or message.mark != job.mark:
        return []
    if handed.provider_id is not None and message.provider_id is None:
        message.provider_id, message.changed = handed.provider_id, True
    if message.status not in ("handing_over", "uncertain"):
        return []  # a callback was faster, or it was filed before
    message.code = handed.code
    outcome = _settle(customer, message, handed, batch)
    if handed.mark_address and traits_of(job.channel).marks_address:
        customer.mark_address(job.channel, job.address, handed.code or "refused")
    work = customer.enrollments.get(message.enrollment_id)
    if outcome is not None and work is not None:
        settled = Settled(
            visit=message.visit,
            outcome=outcome,
            at=batch.now,
            channel=message.channel,
            answer=handed.answer,
        )
        _move(customer, work, message, settled, batch)
    elif outcome is not None and message.enrollment_id in customer.waiting:
        miss(
            customer,
            message.enrollment_id,
            Settled(
                visit=message.visit,
                outcome=outcome,
                at=batch.now,
                channel=message.channel,
                answer=handed.answer,
            ),
        )
    elif outcome is DeliveryOutcome.TRY_AGAIN:  # the enrollment has ended since
        settle(message, "withdrawn", batch.now, reason="the step was left before it could be tried again")
    return [_withdraw(customer, message, batch)] if handed.result is SendStatus.OPTED_OUT else []


def keep_local_copy(customer: CustomerState, job: AuthorisedSend) -> None:
    """What is kept of a message that went to the feed or to the sandbox.

    Called when the customer's turn is over: a step that was left meanwhile has said how long its message stays.
    """
    message = customer.message_by_id(job.message_id)
    if message is None or customer.erased or message.status != "sent" or message.mark != job.mark:
        return
    in_feed = traits_of(job.channel).in_feed
    if job.provider not in LOCAL_PROVIDERS and not in_feed:
        return
    customer.local_copies.append(
        LocalCopy(
            customer_id=message.customer_id,
            message_id=message.id,
            channel=job.channel,
            provider=job.provider,
            content=_as_json(job.outgoing),
            display=(job.outgoing.display or "inbox") if in_feed else None,
            expires_at=message.expires_at,
        )
    )


_SAID_BY_THE_ROW = frozenset({"message_id", "customer_id", "customer_key", "channel", "content"})
_OF_THE_MESSAGE = tuple(one.name for one in fields(OutboundMessage) if one.name not in _SAID_BY_THE_ROW)
_OF_THE_CONTENT = tuple(one.name for one in fields(Content))


def _as_json(outgoing: OutboundMessage) -> dict[str, Any]:
    """The message as JSON values, without what its row says already."""
    content = {name: getattr(outgoing.content, name) for name in _OF_THE_CONTENT}
    return {"content": content, **{name: getattr(outgoing, name) for name in _OF_THE_MESSAGE}}


def tell_filed(customer: CustomerState, completed: CompletedSend) -> None:
    """What a committed filing has to say to whoever operates this."""
    message = customer.message_by_id(completed.job.message_id)
    if message is None or message.status not in ("refused", "uncertain"):
        return
    emit(
        f"message.{message.status}",
        customer_id=customer.customer_id,
        message_id=message.id,
        channel=message.channel,
        provider=completed.handed.provider,
        code=completed.handed.code,
    )


def _settle(
    customer: CustomerState, message: MessageRow, handed: SendResult, batch: Batch
) -> DeliveryOutcome | None:
    match handed.result:
        case SendStatus.SENT:
            message.sent_at = batch.now
            settle(message, "sent", batch.now)
            return DeliveryOutcome.SENT
        case SendStatus.UNCERTAIN:
            message.status, message.reason = "uncertain", handed.detail or "the provider did not answer"
            message.free_at = batch.machine + SETTLE
            message.changed = True
            return None
        case SendStatus.TRY_AGAIN if message.attempt < MOST_ATTEMPTS or handed.code in NOT_CALLED:
            _free_slot(customer, message)
            message.status = "planned"
            message.handed_at = None
            if handed.code in NOT_CALLED:
                message.attempt -= 1
            message.free_at = batch.machine + timedelta(seconds=_wait(message, handed, batch.now))
            message.changed = True
            return DeliveryOutcome.TRY_AGAIN
        case SendStatus.OPTED_OUT:
            _give_back(customer, message)
            settle(message, "refused", batch.now, reason="the person opted out at the provider")
            return DeliveryOutcome.NOT_SENT
        case _:
            _give_back(customer, message)
            settle(message, "refused", batch.now, reason=handed.detail or handed.code)
            bounced = handed.mark_address and traits_of(message.channel).marks_address
            return DeliveryOutcome.BOUNCED if bounced else DeliveryOutcome.FAILED


def _give_back(customer: CustomerState, message: MessageRow) -> None:
    """The place under the caps that this message took and did not need: others may be waiting for it."""
    _free_slot(customer, message)
    recheck(customer, "frequency_cap")


def _free_slot(customer: CustomerState, message: MessageRow) -> None:
    """The cap slot is free for whoever is asked about next, in this transaction too."""
    customer.freed_slots.append(message)
    for slots in (customer.cap_slots, customer.shadow_slots):
        for slot in slots:
            if (slot.handed_at, slot.channel, slot.topic) == (
                message.handed_at,
                message.channel,
                message.topic,
            ):
                slots.remove(slot)
                break


def _move(
    customer: CustomerState,
    work: EnrollmentWork,
    message: MessageRow,
    settled: Settled,
    batch: Batch,
) -> None:
    if work.enrollment.state.live:
        apply_event(customer, work, settled, batch)
    if settled.outcome is DeliveryOutcome.TRY_AGAIN and (
        not work.enrollment.state.live or work.enrollment.state.visit != message.visit
    ):
        settle(message, "withdrawn", batch.now, reason="the step was left before it could be tried again")


def _withdraw(customer: CustomerState, message: MessageRow, batch: Batch) -> NewConsentRow:
    """The provider knows of an opt-out we did not: everything on that channel stops, and it goes into our ledger."""
    customer.consents.append(
        Consent(channel=message.channel, topic="*", granted=False, basis="express", since=batch.now)
    )
    apply_to_all(customer, ConsentWithdrawn(channel=message.channel, topic="*"), batch)
    return NewConsentRow(
        customer_id=customer.customer_id,
        source_id=f"provider:{message.id}",
        action="revoked",
        channel=message.channel,
        topic="*",
        basis="express",
        method="provider_sync",
        source=message.provider,
        actor="provider",
        occurred_at=batch.now,
        recorded_at=batch.now,
    )


def _receipt(job: AuthorisedSend, handed: SendResult, batch: Batch) -> ReceiptRow:
    facts = {"provider": handed.provider, "code": handed.code}
    return hand_over_receipt(job, handed.result.value, facts, batch)


def _wait(message: MessageRow, handed: SendResult, now: datetime) -> float:
    """Seconds until the next try: what the provider asked for, else doubling with a jitter of the message's own.

    A function that is missing is looked for less often the longer it is.
    """
    if handed.code == UNKNOWN_FUNCTION:
        waited = (now - message.planned_at).total_seconds() / 4
        return min(_LONGEST_WAIT, max(handed.retry_after or 0.0, waited))
    if handed.retry_after is not None:
        return handed.retry_after
    ceiling: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (message.attempt - 1))
    digest = hashlib.sha256(f"{message.customer_id}:{message.id}:{message.attempt}".encode()).digest()
    return ceiling * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)
