"""Opt-out and opt-in: what a person decides about being spoken to, in force from its commit.

An opt-out is one transaction under the customer's lock: the ledger row, every planned message in its scope over all
playbooks and channels, unseen in-app messages, and the walks it ends or moves. The receipt says what was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.consent.scope import ANY, TRACKING, covers, is_closed
from orchestrator.core.customer_state import (
    CustomerState,
    EnrollmentWork,
    FeedWithdrawal,
    MessageRow,
    PendingEvent,
)
from orchestrator.core.machine.events import ConsentWithdrawn, DeliveryOutcome, Settled
from orchestrator.core.machine.reasons import OPTED_OUT
from orchestrator.errors import Unavailable
from orchestrator.language.model import Ask, Send
from orchestrator.records.consent import Consent, ConsentAction, ConsentEvidence, NewConsentRow
from orchestrator.records.preferences import OptOutReceipt, Preferences, StoppedMessage, StoppedStatus
from orchestrator.service.consent.ledger_rows import ledger_row
from orchestrator.service.context import Batch, ServiceContext, alone
from orchestrator.service.enrollment.apply_inbox import apply_inbox
from orchestrator.service.enrollment.event_queue import apply_event, apply_pending
from orchestrator.service.enrollment.failures import park
from orchestrator.service.intake.validate import check_scope
from orchestrator.service.messages.settle import settle
from orchestrator.telemetry import emit

# Those who name the scope themselves. A link names what it named when it was sent, perhaps a topic that is no more.
_NAMED_BY_CALLER = ("api", "agent")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentScope:
    """What a word about consent covers, and the particulars of its ledger row."""

    channel: str = ANY
    topic: str = ANY
    evidence: ConsentEvidence
    source_id: str | None = None
    said_at: datetime | None = None  # of a yes; a no counts from when it is heard


def opt_out(services: ServiceContext, customer_key: str, scope: ConsentScope) -> OptOutReceipt:
    """Withdraw consent. Repeating it is harmless: the receipt then says it was in force before."""
    customer_id = _concerned(services, customer_key, scope)
    try:
        receipt = _opt_out(services, customer_id, scope, whole=True)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever ails the enrollments, nobody speaks to the customer any more
        receipt = _opt_out(services, customer_id, scope, whole=False)
        park(services, customer_id, error)
    emit(
        "opt_out.recorded",
        customer_id=customer_id,
        channel=scope.channel,
        topic=scope.topic,
        method=scope.evidence.method,
        cancelled=sum(one.status == "cancelled" for one in receipt.messages),
        withdrawn=sum(one.status == "withdrawn" for one in receipt.messages),
    )
    return receipt


def _opt_out(
    services: ServiceContext, customer_id: int, scope: ConsentScope, *, whole: bool
) -> OptOutReceipt:
    """``whole`` False: without what waits in the inbox, and without a word to the enrollments."""
    with services.batch(alone(customer_id)) as batch:
        customer = batch.one()
        if whole:
            apply_inbox(customer, batch)
        already = is_closed(customer.consents, scope.channel, scope.topic, batch.now)
        rows = [] if already else [_row(customer, "revoked", scope, batch)]
        receipt = withdraw(customer, scope.channel, scope.topic, batch, already=already, whole=whole)
        batch.save()
        batch.transaction.consents.append(rows)
    return receipt


def opt_in(services: ServiceContext, customer_key: str, scope: ConsentScope) -> None:
    """Grant consent. It re-opens only what it names; "everything" names each withdrawal that stands."""
    with services.batch(alone(_concerned(services, customer_key, scope))) as batch:
        customer = batch.one()
        apply_inbox(customer, batch)
        pairs = {(scope.channel, scope.topic)}
        if scope.channel == scope.topic == ANY:
            pairs |= {
                (one.channel, one.topic)
                for one in customer.consents
                if not one.granted and one.topic != TRACKING
            }
        granted = []
        for index, (channel, topic) in enumerate(sorted(pairs)):
            source = (
                f"{scope.source_id}:{index}" if scope.source_id is not None and index else scope.source_id
            )
            one = replace(scope, channel=channel, topic=topic, source_id=source)
            granted.append(_row(customer, "granted", one, batch))
        batch.save()
        batch.transaction.consents.append(granted)


def preferences(services: ServiceContext, customer_key: str) -> Preferences:
    """What the preference page shows: every topic and channel, and what was said about them."""
    with services.store.begin() as transaction:
        policy = transaction.catalogue().policy
        now = transaction.instants().business
        customer_id = transaction.customers.find(customer_key)
        states = transaction.consents.said(customer_id, now)
        snoozed = transaction.snoozes.until(customer_id, now)
        locale = transaction.customers.locale_of(customer_id)
    return Preferences(
        customer=customer_key,
        locale=locale,
        topics=tuple((topic.name, topic.title) for topic in policy.topics if topic.promotional),
        channels=policy.consent_channels,
        states=tuple(states),
        snoozed_until=snoozed,
    )


def withdraw(
    customer: CustomerState, channel: str, topic: str, batch: Batch, *, already: bool, whole: bool = True
) -> OptOutReceipt:
    """Stop everything in the scope for a locked customer. ``whole`` False: the enrollments are not to be touched."""
    if not already:
        customer.consents.append(
            Consent(channel=channel, topic=topic, granted=False, basis="express", since=batch.now)
        )
    before = {work.enrollment.enrollment_id for work in customer.in_order()}
    unsent = [message for message in customer.messages.values() if message.unsettled]
    shown = [message for message in customer.messages.values() if _unseen(message, channel, topic)]
    wire = [message for message in unsent if message.status in ("handing_over", "uncertain")]
    if topic != TRACKING:
        if whole:
            withdrawn = ConsentWithdrawn(channel=channel, topic=topic)
            concerned = [work for work in customer.in_order() if _speaks_to_customer(work, batch)]
            apply_pending(customer, [PendingEvent(work=work, event=withdrawn) for work in concerned], batch)
        stop_messages(customer, channel, topic, batch)
        if whole:
            _go_on(customer, [one for one in unsent if one.status == "withdrawn"], batch)
    ended = {
        work.enrollment.playbook
        for work in customer.enrollments.values()
        if work.enrollment.enrollment_id in before and not work.enrollment.state.live
    }
    stopped = [
        *(_stopped(one, "cancelled") for one in unsent if one.status in ("withdrawn", "not_sent")),
        *(_stopped(one, "withdrawn") for one in shown),
        *(_stopped(one, "on_the_wire") for one in wire if _in_scope(one, channel, topic)),
    ]
    return OptOutReceipt(
        customer=customer.key,
        channel=channel,
        topic=topic,
        effective_at=batch.now,
        already=already,
        messages=tuple(stopped),
        ended_playbooks=tuple(sorted(ended)),
    )


def _speaks_to_customer(work: EnrollmentWork, batch: Batch) -> bool:
    """One that tells colleagues alone, and nothing promotional, goes on: a complaint reaches those who can help."""
    playbook = work.published.playbook
    speaks = any(isinstance(step.action, Send | Ask) for step in playbook.steps)
    return speaks or batch.catalogue.policy.promotional(playbook.topic)


def _go_on(customer: CustomerState, withdrawn: Sequence[MessageRow], batch: Batch) -> None:
    """An enrollment that still waits for its message is told that there is none any more."""
    for message in withdrawn:
        work = customer.enrollments.get(message.enrollment_id)
        if work is not None and work.enrollment.state.live:
            unsent = Settled(
                visit=message.visit, outcome=DeliveryOutcome.NOT_SENT, at=batch.now, channel=message.channel
            )
            apply_event(customer, work, unsent, batch)


def stop_messages(
    customer: CustomerState, channel: str, topic: str, batch: Batch, *, everything: bool = False
) -> None:
    """Cancel what is planned in the scope, whichever enrollment it belongs to, and hide what is unseen."""
    for message in list(customer.messages.values()):
        if not everything and not _in_scope(message, channel, topic):
            continue
        if message.status == "planned" and (everything or channel in (ANY, message.channel)):
            if set(message.channels) <= {channel} or channel == ANY:
                settle(message, "withdrawn", batch.now, reason=OPTED_OUT)
            else:
                message.due_at = batch.now  # another of its channels may be open: ask again
                message.changed = True
        elif _unseen(message, channel, topic) or (everything and message.in_feed):
            message.hide, message.reason = FeedWithdrawal(), OPTED_OUT
            message.changed = True


def _in_scope(message: MessageRow, channel: str, topic: str) -> bool:
    return message.kind in ("send", "ask") and covers(channel, topic, message.channel, message.topic)


def _unseen(message: MessageRow, channel: str, topic: str) -> bool:
    return message.in_feed and not message.seen and _in_scope(message, channel, topic)


def _stopped(message: MessageRow, status: StoppedStatus) -> StoppedMessage:
    return StoppedMessage(
        playbook=message.playbook, step=message.step, channel=message.channel, status=status
    )


def _row(customer: CustomerState, action: ConsentAction, scope: ConsentScope, batch: Batch) -> NewConsentRow:
    return ledger_row(
        customer,
        batch.catalogue.policy,
        action=action,
        channel=scope.channel,
        topic=scope.topic,
        evidence=scope.evidence,
        now=batch.now,
        occurred_at=min(scope.said_at or batch.now, batch.now) if action == "granted" else batch.now,
        source_id=scope.source_id,
    )


def _concerned(services: ServiceContext, customer_key: str, scope: ConsentScope) -> int:
    """Whom it is about. Raises NotFound, InputError for a channel or topic that there is not."""
    with services.store.begin() as transaction:
        if scope.evidence.method in _NAMED_BY_CALLER:
            check_scope(transaction.catalogue().policy, scope.channel, scope.topic)
        return transaction.customers.find(customer_key)
