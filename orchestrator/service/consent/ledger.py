"""Consents recorded elsewhere, imported with their evidence; grants whose time is over, written down.

What people do on the pages and what providers report goes through :mod:`orchestrator.service.consent.preferences`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import get_args

from orchestrator.core.consent.scope import in_force
from orchestrator.errors import InputError, Unavailable
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.records.consent import (
    Consent,
    ConsentBasis,
    ConsentEvidence,
    ConsentFact,
    ConsentHolder,
    ConsentMethod,
    NewConsentRow,
)
from orchestrator.records.intake import IngestReport, Refused
from orchestrator.records.preferences import StopScope
from orchestrator.service.consent.ledger_rows import ledger_row
from orchestrator.service.consent.withdraw import stop
from orchestrator.service.context import ServiceContext
from orchestrator.service.intake.validate import (
    check_scope,
    checked_address,
    checked_id,
    checked_text,
    checked_word,
    problem_with_key,
)
from orchestrator.telemetry import emit

BATCH = 500  # customers of one transaction
EXPIRED_AT_ONCE = 1000

ImportedFacts = dict[int, ConsentFact]
"""Facts by their place in what was handed in."""


def import_consents(services: ServiceContext, items: Sequence[ConsentFact]) -> IngestReport:
    """Grants and withdrawals recorded elsewhere, each once. Unknown customers are made: a no must be there first.

    A withdrawal that is in force now stops what is planned, as every opt-out does. Good items are kept whatever is
    wrong with others.
    """
    with services.store.begin() as transaction:
        now = transaction.instants().business
        policy = transaction.policy()
        good, refused = _sifted(items, policy, now)
        ids = transaction.customers.ensure({fact.key for fact in good.values()}, now)
        given = {fact.address for fact in good.values() if fact.address is not None}
        forgotten = transaction.customers.forgotten(given)
    of_customer: dict[int, ImportedFacts] = {}
    for index, fact in good.items():
        if fact.key not in ids or fact.address in forgotten:
            path = "$.key" if fact.key not in ids else "$.address"
            refused.append(Refused(index=index, path=path, problem="the person asked to be forgotten"))
        else:
            of_customer.setdefault(ids[fact.key], {})[index] = fact
    new = kept = 0
    ordered = sorted(of_customer)
    for start in range(0, len(ordered), BATCH):
        some = {customer_id: of_customer[customer_id] for customer_id in ordered[start : start + BATCH]}
        taken, failed = _recorded(services, some)
        new += taken
        kept += sum(map(len, some.values())) - len(failed)
        refused += failed
    emit("consents.imported", taken=new, repeated=kept - new, refused=len(refused))
    return IngestReport(
        taken=new, repeated=kept - new, refused=tuple(sorted(refused, key=lambda one: one.index))
    )


def expire(services: ServiceContext) -> int:
    """Write down every grant whose time is over, in batches; how many. What is over says nothing before that too."""
    total = 0
    while True:
        with services.store.begin() as transaction:
            now = transaction.instants().business
            done = transaction.consents.expire(now, limit=EXPIRED_AT_ONCE)
        total += done
        if not done:
            break
    if total:
        emit("consents.expired", expired=total)
    return total


def read_back(
    services: ServiceContext, of_customer: Mapping[int, ImportedFacts]
) -> tuple[int, list[Refused]]:
    """Facts of known customers as they were recorded before, each once: how many were new, and what could not be
    stored. Channels and topics are those of then, perhaps of none that there is now."""
    new, refused = 0, list[Refused]()
    ordered = sorted(of_customer)
    for start in range(0, len(ordered), BATCH):
        some = {customer_id: of_customer[customer_id] for customer_id in ordered[start : start + BATCH]}
        taken, failed = _recorded(services, some)
        new += taken
        refused += failed
    return new, refused


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """One locked customer's facts, the oldest first, and their ledger rows."""

    holder: ConsentHolder
    facts: Sequence[ConsentFact]
    rows: Sequence[NewConsentRow]

    @property
    def customer_id(self) -> int:
        return self.holder.customer_id


# --- importing ------------------------------------------------------------------------------------------------------


def _recorded(services: ServiceContext, some: Mapping[int, ImportedFacts]) -> tuple[int, list[Refused]]:
    """One transaction over these customers; when it fails each alone, so that none costs the others their facts."""
    try:
        return _in_one(services, some), []
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about one of them
        if len(some) == 1:
            why = f"could not be stored ({type(error).__name__})"
            return 0, [
                Refused(index=index, path="$", problem=why) for facts in some.values() for index in facts
            ]
    taken, refused = 0, []
    for customer_id, facts in some.items():
        one, failed = _recorded(services, {customer_id: facts})
        taken += one
        refused += failed
    return taken, refused


def _in_one(services: ServiceContext, some: Mapping[int, ImportedFacts]) -> int:
    with services.store.begin() as transaction:
        ids = transaction.withdrawals.lock(some, wait=True)
        now = transaction.instants().business
        policy = transaction.policy()
        told = [
            _Told(holder=holder, facts=facts, rows=[_row(holder, fact, policy, now) for fact in facts])
            for holder in transaction.withdrawals.holders(ids, now)
            for facts in [sorted(some[holder.customer_id].values(), key=lambda fact: fact.occurred_at)]
        ]
        new = transaction.consents.append([row for one in told for row in one.rows])
        customers = {customer_id for customer_id, _ in new}
        scopes = [scope for one in told for scope in _withdrawn(one, now, news=one.customer_id in customers)]
        stop(transaction, scopes, now, policy)
    return len(new)


def _withdrawn(told: _Told, now: datetime, *, news: bool) -> Iterator[StopScope]:
    """What the withdrawals among one customer's facts stop: those that no later yes took back."""
    facts = told.facts
    said = [*told.holder.consents, *(_said(*pair) for pair in zip(facts, told.rows, strict=True))]
    for channel, topic in dict.fromkeys(
        (fact.channel, fact.topic) for fact in facts if fact.action == "revoked"
    ):
        known = in_force(said, channel, topic, now)
        if known is not None and not known.granted:
            yield StopScope(customer_id=told.customer_id, channel=channel, topic=topic, news=news)


def _row(holder: ConsentHolder, fact: ConsentFact, policy: AccountPolicy, now: datetime) -> NewConsentRow:
    return ledger_row(
        holder,
        policy,
        action=fact.action,
        channel=fact.channel,
        topic=fact.topic,
        evidence=fact.evidence,
        now=now,
        occurred_at=fact.occurred_at,
        source_id=f"import:{fact.source_id or _content_id(fact)}",
        address=fact.address,
    )


def _said(fact: ConsentFact, row: NewConsentRow) -> Consent:
    return Consent(
        channel=fact.channel,
        topic=fact.topic,
        granted=fact.action != "revoked",
        basis=fact.evidence.basis,
        since=fact.occurred_at,
        expires_at=row.expires_at,
    )


def _content_id(fact: ConsentFact) -> str:
    plain = json.dumps(asdict(fact), sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def _sifted(
    items: Sequence[ConsentFact], policy: AccountPolicy, now: datetime
) -> tuple[ImportedFacts, list[Refused]]:
    good: ImportedFacts = {}
    refused: list[Refused] = []
    for index, fact in enumerate(items):
        try:
            good[index] = _checked(fact, policy, now)
        except InputError as error:
            refused.append(Refused(index=index, path=error.path, problem=error.message))
    return good, refused


def _checked(fact: ConsentFact, policy: AccountPolicy, now: datetime) -> ConsentFact:
    """The fact with a normalised address. Raises InputError with the JSON path."""
    wrong = problem_with_key(fact.key)
    if wrong is not None:
        raise InputError("$.key", wrong)
    checked_word(fact.action, ("granted", "confirmed", "revoked"), "$.action")
    check_scope(policy, fact.channel, fact.topic)
    if fact.occurred_at.tzinfo is None:
        raise InputError("$.occurred_at", "expected an instant with a time zone, got one without")
    if fact.occurred_at > now:
        raise InputError("$.occurred_at", "expected an instant that is over, got one in the future")
    if fact.source_id is not None:
        checked_id(fact.source_id, "$.source_id")
    _check_evidence(fact.evidence, fact.occurred_at)
    if fact.address is None:
        return fact
    return replace(fact, address=checked_address(fact.channel, fact.address, "$.address"))


def _check_evidence(evidence: ConsentEvidence, occurred_at: datetime) -> None:
    checked_word(evidence.method, get_args(ConsentMethod), "$.method")
    checked_word(evidence.basis, get_args(ConsentBasis), "$.basis")
    if not evidence.source.strip():
        raise InputError("$.source", "expected where the person said so: a page, a form, a campaign")
    if evidence.expires_at is not None:
        if evidence.expires_at.tzinfo is None:
            raise InputError("$.expires_at", "expected an instant with a time zone, got one without")
        if evidence.expires_at <= occurred_at:
            raise InputError("$.expires_at", "expected an instant after occurred_at")
    for name in ("source", "actor", "wording", "wording_locale", "wording_version", "jurisdiction"):
        checked_text(getattr(evidence, name), f"$.{name}")
    for name, value in evidence.details.items():
        checked_text(name + str(value), f"$.evidence.{name}")
