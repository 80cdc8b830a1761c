"""Makes the rows of the consent ledger: complete enough to prove, years later, who agreed to what and how."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels.table import traits_of
from orchestrator.core.consent.jurisdiction import jurisdiction_of
from orchestrator.core.customer_state import CustomerState
from orchestrator.ids import new_key
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.records.consent import ConsentEvidence
from orchestrator.service.messages.ask_policies import address_for
from orchestrator.service.ports import Transaction


def ledger_row(
    customer: CustomerState,
    policy: AccountPolicy,
    *,
    action: str,
    channel: str,
    topic: str,
    evidence: ConsentEvidence,
    now: datetime,
    occurred_at: datetime | None = None,
    source_id: str | None = None,
    address: str | None = None,
) -> dict[str, Any]:
    """One row about a locked customer. It still carries the address; :func:`append` leaves only its hash."""
    said_at = occurred_at or now
    wording = evidence.wording
    return {
        "customer_id": customer.customer_id,
        "source_id": source_id or f"{evidence.method}:{new_key()}",
        "action": action,
        "channel": channel,
        "topic": topic,
        "address": address or _address(customer, channel),
        "basis": evidence.basis,
        "method": evidence.method,
        "source": evidence.source,
        "wording": wording,
        "wording_locale": evidence.wording_locale,
        "wording_version": evidence.wording_version,
        "wording_hash": hashlib.sha256(wording.encode()).hexdigest() if wording else None,
        "sender": dict(policy.sender).get("name"),
        "jurisdiction": evidence.jurisdiction or jurisdiction_of(customer.region),
        "evidence": dict(evidence.details),
        "expires_at": None if action == "revoked" else ends_at(policy, evidence, said_at),
        "actor": evidence.actor,
        "occurred_at": said_at,
        "recorded_at": now,
    }


def append(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> set[tuple[int, str]]:
    """Append rows to the ledger; an address becomes its keyed hash. The (customer, source id) pairs that were new."""
    sealed = []
    for row in rows:
        address = row["address"]
        kept = {name: value for name, value in row.items() if name != "address"}
        sealed.append(kept | {"address_hash": transaction.hashed(address) if address else None})
    return transaction.append_consents(sealed)


def ends_at(policy: AccountPolicy, evidence: ConsentEvidence, said_at: datetime) -> datetime | None:
    """When a grant ends by itself: as it says, or as long as its basis lasts, whichever comes first."""
    lasts = policy.consent.lasting(evidence.basis)
    ends = [at for at in (evidence.expires_at, said_at + lasts.span if lasts else None) if at is not None]
    return min(ends, default=None)


def _address(customer: CustomerState, channel: str) -> str | None:
    return address_for(customer, channel)[0] if traits_of(channel).address is not None else None
