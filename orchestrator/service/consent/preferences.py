"""Opt-out and opt-in: what a person decides about being spoken to, in force from its commit."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.consent.scope import ANY, TRACKING
from orchestrator.errors import NotFound
from orchestrator.records.consent import ConsentHolder
from orchestrator.records.preferences import OptOutReceipt, Preferences
from orchestrator.service.consent.ledger_rows import ConsentScope, ledger_row
from orchestrator.service.consent.withdraw import withdraw
from orchestrator.service.context import ServiceContext
from orchestrator.service.intake.validate import check_scope

# Those who name the scope themselves. A link names what it named when it was sent, perhaps a topic that is no more.
_NAMED_BY_CALLER = ("api", "agent")


def opt_out(services: ServiceContext, customer_key: str, scope: ConsentScope) -> OptOutReceipt:
    """Withdraw consent. Repeating it is harmless: the receipt then says it was in force before.

    Raises NotFound, InputError for a channel or topic that there is not, Contended when the customer's lock does not
    come in ten seconds.
    """
    return withdraw(services, customer_key, scope, named=scope.evidence.method in _NAMED_BY_CALLER)


def opt_in(services: ServiceContext, customer_key: str, scope: ConsentScope) -> None:
    """Grant consent. It re-opens only what it names; "everything" names each withdrawal that stands.

    Raises as :func:`opt_out` does.
    """
    grant(services, _concerned(services, customer_key, scope), scope)


def grant(services: ServiceContext, customer_id: int, scope: ConsentScope) -> None:
    """:func:`opt_in` by id, of a scope that is known to exist. Raises NotFound, Contended."""
    with services.store.begin() as transaction:
        transaction.withdrawals.lock([customer_id], wait=True)
        now = transaction.instants().business
        policy = transaction.policy()
        granted = [
            ledger_row(
                holder,
                policy,
                action="granted",
                channel=one.channel,
                topic=one.topic,
                evidence=one.evidence,
                now=now,
                occurred_at=min(one.said_at or now, now),
                source_id=one.source_id,
            )
            for holder in transaction.withdrawals.holders([customer_id], now)
            for one in _each(holder, scope)
        ]
        if not granted:
            raise NotFound("customer", str(customer_id))
        transaction.consents.append(granted)


def preferences(services: ServiceContext, customer: str | int) -> Preferences:
    """What the preference page shows: every topic and channel, and what was said about them.

    ``customer`` is the product's key, or the id in a link of ours. Raises NotFound.
    """
    with services.store.begin() as transaction:
        customer_id = customer if isinstance(customer, int) else transaction.customers.find(customer)
        key, locale = transaction.customers.reader(customer_id)
        policy = transaction.policy()
        now = transaction.instants().business
        states = transaction.consents.said(customer_id, now)
        snoozed = transaction.snoozes.until(customer_id, now)
    return Preferences(
        customer=key,
        locale=locale,
        topics=tuple((topic.name, topic.title) for topic in policy.topics if topic.promotional),
        channels=policy.consent_channels,
        states=tuple(states),
        snoozed_until=snoozed,
    )


def _each(holder: ConsentHolder, scope: ConsentScope) -> list[ConsentScope]:
    """The pairs that a yes opens, one row each."""
    pairs = {(scope.channel, scope.topic)}
    if scope.channel == scope.topic == ANY:
        pairs |= {
            (one.channel, one.topic) for one in holder.consents if not one.granted and one.topic != TRACKING
        }
    return [
        replace(scope, channel=channel, topic=topic, source_id=_numbered(scope.source_id, index))
        for index, (channel, topic) in enumerate(sorted(pairs))
    ]


def _numbered(source_id: str | None, index: int) -> str | None:
    return f"{source_id}:{index}" if source_id is not None and index else source_id


def _concerned(services: ServiceContext, customer_key: str, scope: ConsentScope) -> int:
    """Whom it is about. Raises NotFound, InputError for a channel or topic that there is not."""
    with services.store.begin() as transaction:
        if scope.evidence.method in _NAMED_BY_CALLER:
            check_scope(transaction.policy(), scope.channel, scope.topic)
        return transaction.customers.find(customer_key)
