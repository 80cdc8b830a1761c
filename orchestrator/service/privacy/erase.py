"""Erasure: everything personal about one person goes, here and at the providers, and does not come back.

The providers come before the blanking: afterwards nobody would know which addresses to name to them. So when one of
them cannot be told, the person is left in peace for good but not yet forgotten, and the same call is to be repeated.
No address is kept for that longer than the person is.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.base import Channel, Forgets
from orchestrator.clock import monotonic
from orchestrator.core.consent.scope import ANY
from orchestrator.core.machine.enrollment import ended_state_json
from orchestrator.errors import ErasureIncomplete
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.erasure import ErasureReceipt, ForgetOutcome, ProviderForgot, SentSummary
from orchestrator.service.consent.ledger_rows import ledger_row
from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit

TELL_WITHIN = 10.0  # seconds for each channel
_OURS = frozenset({"sandbox", "feed", "function"})  # nobody outside keeps anything of these
_ERASED = "erased"  # how every enrollment of an erased customer ends
_EVIDENCE = ConsentEvidence(method="api", source="erasure", actor="customer")


def erase(
    services: ServiceContext,
    channel_for: Callable[[str], Channel],
    customer_key: str,
    *,
    anyway: bool = False,
) -> ErasureReceipt:
    """Forget a person: enrollments end, providers are told, everything personal is blanked, and keyed hashes stay.

    Raises NotFound; ErasureIncomplete when a provider could not be told and not ``anyway``: repeat it then.
    """
    started = monotonic()
    with services.store.begin() as transaction:
        customer_id = transaction.customers.find(customer_key)
        known_outside = any(one.provider not in _OURS for one in transaction.erasure.sent_to(customer_id))
    told: tuple[ProviderForgot, ...] = ()
    if known_outside:
        _silence(services, customer_id)
        told = _tell(services, channel_for, customer_id)
        failed = [one for one in told if one.outcome == "failed"]
        for one in failed:
            emit(
                "erasure.failed",
                customer_id=customer_id,
                channel=one.channel,
                provider=one.provider,
                detail=one.detail,
            )
        if failed and not anyway:
            raise ErasureIncomplete([f"{one.provider} ({one.channel}): {one.detail}" for one in failed])
    _blank(services, customer_id)
    emit(
        "customer.erased",
        customer_id=customer_id,
        providers=len(told),
        seconds=round(monotonic() - started, 3),
    )
    return ErasureReceipt(customer=customer_key, erased=True, providers=told)


def _silence(services: ServiceContext, customer_id: int) -> None:
    """End every enrollment and opt the customer out of everything: no provider hears anything new while it is told."""
    with services.store.begin() as transaction:
        transaction.erasure.lock(customer_id)
        now = transaction.instants().business
        policy = transaction.policy()
        transaction.erasure.silence(customer_id, now, ended=ended_state_json(_ERASED, now))
        transaction.consents.append(
            [
                ledger_row(
                    holder,
                    policy,
                    action="erased",
                    channel=ANY,
                    topic=ANY,
                    evidence=_EVIDENCE,
                    now=now,
                    source_id="erasure",
                )
                for holder in transaction.withdrawals.holders([customer_id], now)
            ]
        )


def _tell(
    services: ServiceContext, channel_for: Callable[[str], Channel], customer_id: int
) -> tuple[ProviderForgot, ...]:
    with services.store.begin() as transaction:
        handed = transaction.erasure.sent_to(customer_id)
        addresses = transaction.erasure.addresses_of(customer_id)
    told = []
    for one in handed:
        if one.provider in _OURS:
            continue
        channel = channel_for(one.channel)
        if channel.provider != one.provider or not isinstance(channel, Forgets):
            why = f"{one.provider} offers no way to be told; ask it yourself"
            told.append(_answer(one, "by_hand", len(one.provider_ids), why))
            continue
        address = addresses.get(one.channel)
        forgot = channel.forget(
            addresses=[address] if address else [], provider_ids=one.provider_ids, seconds=TELL_WITHIN
        )
        told.append(_answer(one, "done" if forgot.done else "failed", forgot.count, forgot.detail))
    return tuple(told)


def _blank(services: ServiceContext, customer_id: int) -> None:
    """Stop everything once more, and let everything personal go in the same transaction."""
    with services.store.begin() as transaction:
        transaction.erasure.lock(customer_id)
        now = transaction.instants().business
        identities = transaction.erasure.identities_of(customer_id)
        transaction.erasure.silence(customer_id, now, ended=ended_state_json(_ERASED, now))
        transaction.erasure.erase(customer_id, now, identities=identities)


def _answer(one: SentSummary, outcome: ForgetOutcome, count: int, detail: str | None) -> ProviderForgot:
    return ProviderForgot(
        channel=one.channel, provider=one.provider, outcome=outcome, count=count, detail=detail
    )
