"""Makes the rows of the consent ledger: complete enough to prove, years later, who agreed to what and how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from channels.table import traits_of
from orchestrator.core.consent.jurisdiction import jurisdiction_of
from orchestrator.core.consent.scope import ANY
from orchestrator.ids import new_key
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.records.consent import ConsentAction, ConsentEvidence, ConsentHolder, NewConsentRow


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentScope:
    """What a word about consent covers, and the particulars of its ledger row."""

    channel: str = ANY
    topic: str = ANY
    evidence: ConsentEvidence
    source_id: str | None = None
    said_at: datetime | None = None  # of a yes; a no counts from when it is heard


def ledger_row(
    holder: ConsentHolder,
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
        customer_id=holder.customer_id,
        source_id=source_id or f"{evidence.method}:{new_key()}",
        action=action,
        channel=channel,
        topic=topic,
        address=address or _address(holder, channel),
        basis=evidence.basis,
        method=evidence.method,
        source=evidence.source,
        wording=wording,
        wording_locale=evidence.wording_locale,
        wording_version=evidence.wording_version,
        wording_hash=hashlib.sha256(wording.encode()).hexdigest() if wording else None,
        sender=dict(policy.sender).get("name"),
        jurisdiction=evidence.jurisdiction or jurisdiction_of(holder.region),
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


def _address(holder: ConsentHolder, channel: str) -> str | None:
    traits = traits_of(channel)
    if traits.address is None:
        return None
    known = (holder.addresses[point] for point in traits.contact_points if point in holder.addresses)
    return next(known, holder.key if traits.key_reaches else None)
