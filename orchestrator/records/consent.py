"""Consent: what was said and how, the ledger's rows, and the present state derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

ConsentMethod = Literal[
    "web_form", "double_opt_in", "sms_keyword", "free_text", "one_click", "unsubscribe_page",
    "preference_centre", "spam_report", "provider_sync", "agent", "import", "api",
    "restored_log",
]  # fmt: skip
"""How a person said so."""

ConsentBasis = Literal[
    "express", "express_written", "implied_purchase", "implied_inquiry", "soft_opt_in", "contract",
    "legitimate_interest",
]  # fmt: skip
"""What a grant stands on. A withdrawal is always express."""

ImportedAction = Literal["granted", "confirmed", "revoked"]
"""What may be recorded elsewhere and imported."""

ConsentAction = Literal["granted", "confirmed", "revoked", "expired", "erased"]
"""What a ledger row says. ``confirmed`` is the second half of a double opt-in; the last two are ours alone."""

WITHDRAWAL_EFFECT = (
    "Nothing is authorised to leave any more. What was authorised in the 2 s before may still leave."
)
"""What a withdrawal does and cannot do: in the ledger, on receipts and in the documents in the same words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What is said about one pair of channel and topic now: the state that policies read."""

    channel: str  # or *
    topic: str  # or *
    granted: bool  # False: withdrawn
    basis: ConsentBasis
    since: datetime  # when it was said, no later than when it was recorded
    expires_at: datetime | None = None  # from then on it says nothing any more


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentHolder:
    """A locked customer as the ledger needs them: nothing here can be unreadable."""

    customer_id: int
    key: str  # the product's own
    region: str | None
    addresses: Mapping[str, str]  # by the channel whose contact point it is
    consents: tuple[Consent, ...]  # what was said, as policies read it


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentEvidence:
    """Who withdrew or granted, how, and what they were told: a ledger row's particulars."""

    method: ConsentMethod
    source: str  # where: a page, a form, a campaign
    actor: str = "customer"  # who entered it
    basis: ConsentBasis = "express"
    wording: str | None = None  # what the person was told
    wording_locale: str | None = None
    wording_version: str | None = None  # what the form or campaign calls its text
    jurisdiction: str | None = None  # None: worked out from the customer's region
    expires_at: datetime | None = None  # of a grant; one whose basis lasts a while ends by then at the latest
    details: Mapping[str, str] = field(default_factory=dict)  # stored and exported, never logged


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentFact:
    """One grant or withdrawal recorded elsewhere, as it is imported."""

    key: str  # the customer's, the product's own
    action: ImportedAction
    occurred_at: datetime
    evidence: ConsentEvidence
    channel: str = "*"
    topic: str = "*"
    address: str | None = (
        None  # where it was given, if the customer is reached elsewhere now; only its hash is kept
    )
    source_id: str | None = None  # makes it count once; None: its content does


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentRow:
    """What a ledger row says: complete enough to prove, years later, who agreed to what and how."""

    customer_id: int
    source_id: str  # the same one twice is appended once
    action: ConsentAction
    channel: str  # or *
    topic: str  # or *
    basis: ConsentBasis
    method: ConsentMethod | Literal["expiry"]  # the latter of an expired row
    source: str  # where it was said
    actor: str  # who entered it
    occurred_at: datetime
    recorded_at: datetime
    expires_at: datetime | None = None
    wording: str | None = None  # what the person was told
    wording_locale: str | None = None
    wording_version: str | None = None
    wording_hash: str | None = None  # SHA-256 of the wording
    sender: str | None = None  # who asked, by name
    jurisdiction: str | None = None  # whose law applied
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewConsentRow(ConsentRow):
    """A ledger row to be appended."""

    address: str | None = None  # in force on the channel then; only its keyed hash is kept


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentEntry(ConsentRow):
    """A ledger row as it is kept."""

    id: int  # gives the order in which rows were recorded
    address_hash: str | None  # keyed hash of the address in force on the channel then


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentInForce:
    """What holds for one channel and topic now, and why."""

    channel: str
    topic: str
    says: Literal["granted", "withdrawn", "nothing"]
    may_speak: (
        bool  # what consent alone says of a promotion; of the topic tracking: of counting opens and clicks
    )
    since: datetime | None = None
    expires_at: datetime | None = None
    basis: ConsentBasis | None = None
    entry: int | None = None  # the ledger row that decides; None: nothing was said


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentHistory:
    """Everything a customer ever said about being spoken to, and what is in force."""

    customer: str  # the product's own key
    at: datetime
    entries: tuple[ConsentEntry, ...]  # in the order in which they were said
    in_force: tuple[ConsentInForce, ...]  # every channel with every promotional topic, and tracking
