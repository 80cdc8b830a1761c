"""Makes the rows of the consent ledger: complete enough to prove, years later, who agreed to what and how."""

from __future__ import annotations

import hashlib
from datetime import datetime

from channels.table import traits_of
from orchestrator.core.consent.jurisdiction import jurisdiction_of
from orchestrator.core.customer_state import CustomerState
from orchestrator.ids import new_key
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.records.consent import ConsentAction, ConsentEvidence, NewConsentRow
from orchestrator.service.messages.ask_policies import address_for


def ledger_row(
    customer: CustomerState,
    policy: AccountPolicy,
    *,
    action: ConsentAction,
    channel: str,
    topic: str,
    evidence: ConsentEvidence,
    now: datetime,
    occurred_at: datetime | None = None,
    source_id: str | None = None,
    address: str | None = None,
) -> NewConsentRow:
    """One row about a locked customer. ``occurred_at`` None: now; ``address`` None: where the channel reaches them."""
    said_at = occurred_at or now
    wording = evidence.wording
    return NewConsentRow(
        customer_id=customer.customer_id,
        source_id=source_id or f"{evidence.method}:{new_key()}",
        action=action,
        channel=channel,
        topic=topic,
        address=address or _address(customer, channel),
        basis=evidence.basis,
        method=evidence.method,
        source=evidence.source,
        wording=wording,
        wording_locale=evidence.wording_locale,
        wording_version=evidence.wording_version,
        wording_hash=hashlib.sha256(wording.encode()).hexdigest() if wording else None,
        sender=dict(policy.sender).get("name"),
        jurisdiction=evidence.jurisdiction or jurisdiction_of(customer.region),
        evidence=dict(evidence.details),
        expires_at=None if action == "revoked" else ends_at(policy, evidence, said_at),
        actor=evidence.actor,
        occurred_at=said_at,
        recorded_at=now,
    )


def ends_at(policy: AccountPolicy, evidence: ConsentEvidence, said_at: datetime) -> datetime | None:
    """When a grant ends by itself: as it says, or as long as its basis lasts, whichever comes first."""
    lasts = policy.consent.lasting(evidence.basis)
    ends = [at for at in (evidence.expires_at, said_at + lasts.span if lasts else None) if at is not None]
    return min(ends, default=None)


def _address(customer: CustomerState, channel: str) -> str | None:
    return address_for(customer, channel)[0] if traits_of(channel).address is not None else None
