"""Files what became of hand-overs: receipts first and always, then the message, the enrollment and its timer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from channels.base import OutboundMessage, SendResult, SendStatus
from channels.function import UNKNOWN_FUNCTION
from channels.table import traits_of
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.machine.events import ConsentWithdrawn, DeliveryOutcome, Settled
from orchestrator.records.consent import Consent, NewConsentRow
from orchestrator.records.delivery import LocalCopy
from orchestrator.records.message import ReceiptRow
from orchestrator.service.context import Batch, ServiceContext, these
from orchestrator.service.delivery.authorise import SETTLE, AuthorisedSend
from orchestrator.service.enrollment.apply_events import apply_timers
from orchestrator.service.enrollment.apply_inbox import apply_inbox
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
    """One hand-over and its answer; ``outgoing`` is None when the message could not be rendered."""

    job: AuthorisedSend
    handed: SendResult
    outgoing: OutboundMessage | None


def file_results(services: ServiceContext, completed_sends: Sequence[CompletedSend]) -> None:
    """One transaction for all of them, waiting for the customers' locks: an answer is filed, whatever else happened.

    What fails is tried again customer by customer, at last without the rest of that customer's work. An answer that
    cannot be filed at all is lost: its lease ends, and the message is uncertain.
    """
    by_customer: dict[int, list[CompletedSend]] = {}
    for completed in completed_sends:
        by_customer.setdefault(completed.job.customer_id, []).append(completed)
    try:
        _file_all(services, by_customer)
    except Exception as error:  # noqa: BLE001 - one customer's trouble must not cost the others their answers
        emit("batch.failed", task="file", customers=len(by_customer), error=type(error).__name__)
        for customer_id, some in by_customer.items():
            _file_alone(services, customer_id, some)


def _file_alone(services: ServiceContext, customer_id: int, completed_sends: list[CompletedSend]) -> None:
    for bare in (False, True, True):
        try:
            _file_all(services, {customer_id: completed_sends}, bare=bare)
            return
        except Exception as error:  # noqa: BLE001 - the last word is the log's
            emit("batch.failed", task="file", customers=1, error=type(error).__name__)


def _file_all(
    services: ServiceContext, by_customer: Mapping[int, list[CompletedSend]], *, bare: bool = False
) -> None:
    """``bare``: without what else is due of these customers."""
    withdrawn: list[NewConsentRow] = []
    with services.batch(these(sorted(by_customer))) as batch:
        for customer in batch:
            if not bare:
                apply_inbox(customer, batch)
            for completed in by_customer[customer.customer_id]:
                withdrawn += _file(customer, completed, batch)
            if not bare:
                apply_timers(customer, batch)
        shown = [
            copy
            for customer in batch
            for completed in by_customer[customer.customer_id]
            if (copy := _local_copy(customer, completed)) is not None
        ]
        batch.save()
        batch.transaction.consents.append(withdrawn)
        batch.transaction.feed.show(shown, batch.now)
    for customer in batch:
        for completed in by_customer[customer.customer_id]:
            _tell(customer, completed)


def _tell(customer: CustomerState, completed: CompletedSend) -> None:
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


def _file(customer: CustomerState, completed: CompletedSend, batch: Batch) -> list[NewConsentRow]:
    """File one answer; the ledger's row of an opt-out that the provider tells of, if it does."""
    job, handed = completed.job, completed.handed
    message = customer.message_by_id(job.message_id)
    if message is None:
        return []
    customer.receipts.append(_receipt(job, handed, batch))
    if handed.provider_id is not None and message.provider_id is None:
        message.provider_id, message.changed = handed.provider_id, True
    if message.status not in ("handing_over", "uncertain"):
        return []  # a callback was faster
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


def _local_copy(customer: CustomerState, completed: CompletedSend) -> LocalCopy | None:
    """What is kept of a message that went out where we can show it; nothing of an erased customer's.

    Made when the batch is over: a step that was left meanwhile has said how long its message stays in the feed.
    """
    message = customer.message_by_id(completed.job.message_id)
    if message is None or completed.outgoing is None or customer.erased:
        return None
    if completed.handed.result is not SendStatus.SENT:
        return None
    return LocalCopy(
        customer_id=message.customer_id,
        message_id=message.id,
        outgoing=completed.outgoing,
        provider=completed.handed.provider,
        expires_at=message.expires_at,
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
            customer.freed_slots.append(message)
            message.status = "planned"
            message.handed_at = None
            if handed.code in NOT_CALLED:
                message.attempt -= 1
            message.free_at = batch.machine + timedelta(seconds=_wait(message, handed))
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
    customer.freed_slots.append(message)
    recheck(customer, "frequency_cap")


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
    facts = {"provider": handed.provider, "code": handed.code, "attempt": job.attempt}
    return ReceiptRow(
        customer_id=job.customer_id,
        message_id=job.message_id,
        source_id=f"hand_over:{job.attempt}:{batch.machine.isoformat()}",
        kind=handed.result.value,
        occurred_at=batch.now,
        received_at=batch.now,
        data={name: value for name, value in facts.items() if value is not None},
    )


def _wait(message: MessageRow, handed: SendResult) -> float:
    """Seconds until the next try: what the provider asked for, else doubling with a jitter of the message's own."""
    if handed.retry_after is not None:
        return handed.retry_after
    ceiling: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (message.attempt - 1))
    digest = hashlib.sha256(f"{message.customer_id}:{message.id}:{message.attempt}".encode()).digest()
    return ceiling * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)
