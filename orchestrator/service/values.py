"""What callers hand to the services and what they get back: frozen values, no rows, no SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Identify:
    """Profile facts about a person or (``account=True``) an account, keyed by the product's own key.

    ``traits`` may hold ``email``, ``phone``, ``timezone``, ``locale``, ``region``, ``account`` (the account's key),
    ``tags`` and any attribute. A trait of None removes it. ``source_id`` makes it count once.
    """

    key: str
    traits: Mapping[str, Any]
    source_id: str | None = None
    occurred_at: datetime | None = None
    account: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One signal. ``key`` is a customer's, or with ``account=True`` an account's (fanned out to its members)."""

    key: str
    event: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    source_id: str | None = None
    occurred_at: datetime | None = None
    account: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)  # device time zone, locale ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """One item of a batch that was not taken. ``index`` is its place in the batch, ``path`` a JSON path."""

    index: int
    path: str
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestReport:
    """What became of a batch: ``taken`` new, ``repeated`` already known by their source id."""

    taken: int
    repeated: int
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrollment:
    """One customer's walk, as its callers see it. ``id`` is public (``e_...``)."""

    id: str
    customer: str
    playbook: str
    version: int
    step: str
    phase: str
    entered_at: datetime
    held_out: bool
    because: str | None
    context: Mapping[str, Any]
    ended_at: datetime | None = None
    end_status: str | None = None
    created: bool = True  # False: the key or the live run already existed, and this is it


Method = Literal[
    "web_form", "double_opt_in", "sms_keyword", "free_text", "one_click", "unsubscribe_page",
    "preference_centre", "spam_report", "provider_sync", "agent", "import", "api",
]  # fmt: skip
Basis = Literal[
    "express", "express_written", "implied_purchase", "implied_inquiry", "soft_opt_in", "contract",
    "legitimate_interest",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentEvidence:
    """Who withdrew or granted, how and what they were told: a consent ledger row's particulars.

    ``wording_version`` is what the form or campaign calls its text. ``jurisdiction`` is worked out from the
    customer's region unless given. ``expires_at`` is for grants; a basis that ends by itself (policy.yaml,
    ``consent:``) ends by then at the latest. ``details`` are stored and exported, never logged.
    """

    method: Method
    source: str
    actor: str = "customer"
    basis: Basis = "express"
    wording: str | None = None
    wording_locale: str | None = None
    wording_version: str | None = None
    jurisdiction: str | None = None
    expires_at: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentFact:
    """One grant or withdrawal recorded elsewhere, as it is imported. ``source_id`` makes it count once; without one
    its content does. ``address`` is where it was given, if that is not where the customer is reached now; only its
    keyed hash is stored."""

    key: str
    action: Literal["granted", "confirmed", "revoked"]
    occurred_at: datetime
    evidence: ConsentEvidence
    channel: str = "*"
    topic: str = "*"
    address: str | None = None
    source_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentEntry:
    """One row of the ledger: who said what about which channel and topic, when, how, and what they were told."""

    id: int
    source_id: str
    action: str
    channel: str
    topic: str
    basis: str
    method: str
    source: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    expires_at: datetime | None
    wording: str | None
    wording_locale: str | None
    wording_version: str | None
    wording_hash: str | None
    sender: str | None
    jurisdiction: str | None
    address_hash: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentInForce:
    """What holds for one channel and topic now. ``entry`` is the ledger row that decides; None: nothing was said.

    ``may_speak`` is what consent alone says about a promotional message (for the topic ``tracking``: about counting
    opens and clicks); caps, quiet hours and the rest are asked besides.
    """

    channel: str
    topic: str
    says: Literal["granted", "withdrawn", "nothing"]
    may_speak: bool
    since: datetime | None = None
    expires_at: datetime | None = None
    basis: str | None = None
    entry: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentHistory:
    """Everything a customer ever said about being spoken to, and what is in force."""

    customer: str
    at: datetime
    entries: tuple[ConsentEntry, ...]
    in_force: tuple[ConsentInForce, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderForgot:
    """What one provider answered when told to forget a person. ``count`` is how many addresses or messages.

    ``done``: deleted, or taken on for deletion; ``failed``: repeat it; ``by_hand``: it has no way to be told, and
    whoever runs the system has to.
    """

    channel: str
    provider: str
    outcome: Literal["done", "failed", "by_hand"]
    count: int
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasureReceipt:
    """What became of an erasure. Not ``erased``: she is spoken to no more, and a provider still has to be told."""

    customer: str
    erased: bool
    providers: tuple[ProviderForgot, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedMessage:
    playbook: str
    step: str
    channel: str
    status: Literal["cancelled", "withdrawn", "on_the_wire"]


@dataclass(frozen=True, kw_only=True, slots=True)
class OptOutReceipt:
    """What an opt-out stopped: shown on the page, returned by the API."""

    customer: str
    channel: str
    topic: str
    effective_at: datetime
    already: bool  # nothing new was written: it was in force before
    messages: tuple[StoppedMessage, ...] = ()
    ended_playbooks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentState:
    channel: str
    topic: str
    granted: bool
    since: datetime
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """What the preference page shows."""

    customer: str
    locale: str | None
    topics: tuple[tuple[str, str], ...]  # name, words for people
    channels: tuple[str, ...]
    states: tuple[ConsentState, ...]
    snoozed_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """What one drain did: customers walked, messages handed over, and whether more is due right now.

    ``again_in`` are the seconds until more may leave, when that is too soon to wait for the next sweep.
    """

    customers: int = 0
    messages: int = 0
    more: bool = False
    again_in: float | None = None
