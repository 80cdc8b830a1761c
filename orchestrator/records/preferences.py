"""What the preference page shows, and what an opt-out stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.records.consent import WITHDRAWAL_EFFECT, Consent

StoppedStatus = Literal["cancelled", "withdrawn", "on_the_wire"]
"""``cancelled``: was planned; ``withdrawn``: lay unseen in the feed; ``on_the_wire``: was authorised before and may
still arrive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedMessage:
    """One message that an opt-out concerned."""

    playbook: str
    step: str
    channel: str
    status: StoppedStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class StopScope:
    """What is to be stopped for one locked customer."""

    customer_id: int
    channel: str  # or *
    topic: str  # or *
    news: bool  # its enrollments have not heard of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """What was stopped in one scope."""

    messages: tuple[StoppedMessage, ...] = ()
    ended_playbooks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OptOutReceipt:
    """What an opt-out stopped: shown on the page, returned by the API."""

    customer: str  # the product's own key
    channel: str  # or *
    topic: str  # or *
    effective_at: datetime
    already: bool  # it was in force, or heard, before; nothing new was written
    messages: tuple[StoppedMessage, ...] = ()
    ended_playbooks: tuple[
        str, ...
    ] = ()  # for every channel: those whose enrollment ends as soon as it hears of it
    effect: str = WITHDRAWAL_EFFECT


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """What the preference page shows."""

    customer: str  # the product's own key
    locale: str | None
    topics: tuple[tuple[str, str], ...]  # name and title of each promotional topic
    channels: tuple[str, ...]  # those a consent may name
    states: tuple[Consent, ...]  # what was said
    snoozed_until: datetime | None = None
