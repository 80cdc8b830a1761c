"""Forgetting a person: what went out about them, what each provider answered, what became of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ForgetOutcome = Literal["done", "failed", "by_hand"]
"""``done``: deleted, or taken on for deletion; ``failed``: repeat it; ``by_hand``: the provider has no way to be told,
and whoever runs the system has to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SentSummary:
    """What was handed over about one customer by one channel and provider."""

    channel: str
    provider: str
    provider_ids: tuple[str, ...]  # what the provider called the messages, where it said


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderForgot:
    """What one provider answered when told to forget a person."""

    channel: str
    provider: str
    outcome: ForgetOutcome
    count: int  # how many addresses or messages it was about
    detail: str | None = None  # what it said, or why it could not be told


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasureReceipt:
    """What became of an erasure."""

    customer: str  # the key, which nobody has any more
    erased: bool  # False: the customer is spoken to no more, and a provider still has to be told
    providers: tuple[ProviderForgot, ...] = ()
