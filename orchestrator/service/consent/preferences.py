"""Opt-out, opt-in and snooze: what a person decides about being spoken to, in force from its commit.

An opt-out is one transaction under the customer's lock: the ledger row, every planned message in its scope over all
playbooks and channels, unseen in-app messages, and the walks it ends or moves. The receipt says what was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from orchestrator.core.consent.scope import ANY, TRACKING, covers, is_closed
from orchestrator.core.customer_state import MessageRow, Walker, Work
from orchestrator.core.machine.events import ConsentWithdrawn, Fate, Settled
from orchestrator.core.machine.reasons import OPTED_OUT
from orchestrator.core.policies.request import Consent
from orchestrator.errors import InputError, Unavailable
from orchestrator.language.model import Ask, Send
from orchestrator.service.consent.ledger_rows import append, ledger_row
from orchestrator.service.enrollment.advance import park
from orchestrator.service.enrollment.apply_commands import settle
from orchestrator.service.enrollment.apply_events import Fold
from orchestrator.service.enrollment.batch import Ground, alone, in_batch
from orchestrator.service.intake.validate import check_scope
from orchestrator.service.ports import Transaction
from orchestrator.service.values import (
    ConsentState,
    OptOutEvidence,
    OptOutReceipt,
    Preferences,
    StoppedMessage,
)
from orchestrator.telemetry import emit

# Those who name the scope themselves. A link names what it named when it was sent, perhaps a topic that is no more.
_NAMED_BY_CALLER = ("api", "agent")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a word about consent covers, and the particulars of its ledger row."""

    channel: str = ANY
    topic: str = ANY
    evidence: OptOutEvidence
    source_id: str | None = None
    said_at: datetime | None = None  # of a yes; a no counts from when it is heard


def opt_out(ground: Ground, customer: str, scope: Scope) -> OptOutReceipt:
    """Withdraw consent. Repeating it is harmless: the receipt then says it was in force before."""
    channel, topic = scope.channel, scope.topic
    rows: list[dict[str, Any]] = []
    receipts: list[OptOutReceipt] = []

    def folding(fold: Fold, work: Work, *, whole: bool = True) -> None:
        rows.clear()
        receipts.clear()
        if whole:
            fold.inbox(work)
        already = is_closed(work.consents, channel, topic, fold.now)
        if not already:
            rows.append(_row(fold, work, "revoked", scope))
        receipts.append(withdraw(fold, work, channel, topic, already=already, whole=whole))

    def after(transaction: Transaction, _: Sequence[Work], __: Fold) -> None:
        append(transaction, rows)

    customer_id = _concerned(ground, customer, scope)
    try:
        in_batch(ground, alone(customer_id), folding, after=after)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever ails her walks, nobody speaks to her any more
        in_batch(ground, alone(customer_id), partial(folding, whole=False), after=after)
        park(ground, customer_id, error)
    receipt = receipts[0]
    emit(
        "opt_out.recorded",
        customer_id=customer_id,
        channel=channel,
        topic=topic,
        way=scope.evidence.method,
        cancelled=sum(one.status == "cancelled" for one in receipt.messages),
        withdrawn=sum(one.status == "withdrawn" for one in receipt.messages),
    )
    return receipt


def opt_in(ground: Ground, customer: str, scope: Scope) -> None:
    """Grant consent. It re-opens only what it names; "everything" names each withdrawal that stands."""
    rows: list[dict[str, Any]] = []

    def folding(fold: Fold, work: Work) -> None:
        fold.inbox(work)
        pairs = {(scope.channel, scope.topic)}
        if scope.channel == scope.topic == ANY:
            pairs |= {
                (one.channel, one.topic) for one in work.consents if not one.granted and one.topic != TRACKING
            }
        for index, (channel, topic) in enumerate(sorted(pairs)):
            source = (
                f"{scope.source_id}:{index}" if scope.source_id is not None and index else scope.source_id
            )
            one = replace(scope, channel=channel, topic=topic, source_id=source)
            rows.append(_row(fold, work, "granted", one))

    def after(transaction: Transaction, _: Sequence[Work], __: Fold) -> None:
        append(transaction, rows)

    in_batch(ground, alone(_concerned(ground, customer, scope)), folding, after=after)


def snooze(ground: Ground, customer: str, until: datetime) -> None:
    """Rest the customer from everything promotional until then, because she asked for it."""
    with ground.store.begin() as transaction:
        customer_id = transaction.find_customer(customer)
        transaction.lock([customer_id])
        now = transaction.instants().business
        if until <= now:
            raise InputError("$.until", "expected an instant in the future")
        transaction.rest_customer(customer_id, reason="snooze", starts_at=now, ends_at=until)


def preferences(ground: Ground, customer: str) -> Preferences:
    """What the preference page shows: every topic and channel, and what was said about them."""
    with ground.store.begin() as transaction:
        policy = transaction.catalogue().policy
        now = transaction.instants().business
        customer_id = transaction.find_customer(customer)
        states = transaction.consents(customer_id, now)
        snoozed = transaction.snoozed_until(customer_id, now)
        locale = transaction.locale_of(customer_id)
    return Preferences(
        customer=customer,
        locale=locale,
        topics=tuple((topic.name, topic.title) for topic in policy.topics if topic.promotional),
        channels=policy.consent_channels,
        states=tuple(_state(one) for one in states),
        snoozed_until=snoozed,
    )


def withdraw(
    fold: Fold, work: Work, channel: str, topic: str, *, already: bool, whole: bool
) -> OptOutReceipt:
    """Stop everything in the scope for a locked customer. ``whole`` False: her walks are not to be touched."""
    if not already:
        work.consents.append(
            Consent(channel=channel, topic=topic, granted=False, basis="express", since=fold.now)
        )
    before = {walker.run.enrollment_id for walker in work.in_order()}
    unsent = [message for message in work.messages.values() if message.unsettled]
    shown = [message for message in work.messages.values() if _unseen(message, channel, topic)]
    wire = [message for message in unsent if message.status in ("handing_over", "uncertain")]
    if topic != TRACKING:
        if whole:
            for walker in work.in_order():
                if walker.run.state.live and _concerns_her(fold, walker):
                    fold.apply(work, walker, ConsentWithdrawn(channel=channel, topic=topic))
        stop_messages(fold, work, channel, topic)
        if whole:
            _go_on(fold, work, [one for one in unsent if one.status == "withdrawn"])
    ended = {
        walker.run.playbook
        for walker in work.walkers.values()
        if walker.run.enrollment_id in before and not walker.run.state.live
    }
    stopped = [
        *(_stopped(one, "cancelled") for one in unsent if one.status in ("withdrawn", "not_sent")),
        *(_stopped(one, "withdrawn") for one in shown),
        *(_stopped(one, "on_the_wire") for one in wire if _in_scope(one, channel, topic)),
    ]
    return OptOutReceipt(
        customer=work.key,
        channel=channel,
        topic=topic,
        effective_at=fold.now,
        already=already,
        messages=tuple(stopped),
        ended_playbooks=tuple(sorted(ended)),
    )


def _concerns_her(fold: Fold, walker: Walker) -> bool:
    """A walk that tells colleagues alone, and nothing promotional, goes on: a complaint reaches those who can help."""
    playbook = walker.published.playbook
    speaks = any(isinstance(step.action, Send | Ask) for step in playbook.steps)
    return speaks or fold.catalogue.policy.promotional(playbook.topic)


def _go_on(fold: Fold, work: Work, withdrawn: Sequence[MessageRow]) -> None:
    """A walk that still waits for its message is told that there is none any more."""
    for message in withdrawn:
        walker = work.walkers.get(message.enrollment_id)
        if walker is not None and walker.run.state.live:
            unsaid = Settled(visit=message.visit, fate=Fate.NOT_SENT, at=fold.now, channel=message.channel)
            fold.apply(work, walker, unsaid)


def stop_messages(fold: Fold, work: Work, channel: str, topic: str, *, everything: bool = False) -> None:
    """Cancel what is planned in the scope, whichever walk it belongs to, and hide what is unseen."""
    for message in list(work.messages.values()):
        if not everything and not _in_scope(message, channel, topic):
            continue
        if message.status == "planned" and (everything or channel in (ANY, message.channel)):
            if set(message.channels) <= {channel} or channel == ANY:
                settle(message, "withdrawn", fold.now, reason=OPTED_OUT)
            else:
                message.due_at = fold.now  # another of its channels may be open: ask again
                message.changed = True
        elif _unseen(message, channel, topic) or (everything and message.in_feed):
            message.hide, message.reason = (None,), OPTED_OUT
            message.changed = True


def _in_scope(message: MessageRow, channel: str, topic: str) -> bool:
    return message.kind in ("send", "ask") and covers(channel, topic, message.channel, message.topic)


def _unseen(message: MessageRow, channel: str, topic: str) -> bool:
    return message.in_feed and not message.seen and _in_scope(message, channel, topic)


def _stopped(message: MessageRow, status: Literal["cancelled", "withdrawn", "on_the_wire"]) -> StoppedMessage:
    return StoppedMessage(
        playbook=message.playbook, step=message.step, channel=message.channel, status=status
    )


def _row(fold: Fold, work: Work, action: str, scope: Scope) -> dict[str, Any]:
    return ledger_row(
        work,
        fold.catalogue.policy,
        action=action,
        channel=scope.channel,
        topic=scope.topic,
        evidence=scope.evidence,
        now=fold.now,
        occurred_at=min(scope.said_at or fold.now, fold.now) if action == "granted" else fold.now,
        source_id=scope.source_id,
    )


def _state(one: Consent) -> ConsentState:
    return ConsentState(
        channel=one.channel, topic=one.topic, granted=one.granted, since=one.since, basis=one.basis
    )


def _concerned(ground: Ground, customer: str, scope: Scope) -> int:
    """Whom it is about. Raises NotFound, InputError for a channel or topic that there is not."""
    with ground.store.begin() as transaction:
        if scope.evidence.method in _NAMED_BY_CALLER:
            check_scope(transaction.catalogue().policy, scope.channel, scope.topic)
        return transaction.find_customer(customer)
