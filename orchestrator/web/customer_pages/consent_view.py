"""What a customer's consents mean on the preference page: which topics and channels are on, and what a form changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.consent.scope import ANY, TRACKING, in_force
from orchestrator.records.consent import Consent
from orchestrator.records.preferences import Preferences
from orchestrator.web.customer_pages.translations import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One switch of the page."""

    name: str
    words: str
    on: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a person switched: one call to the engine."""

    on: bool
    channel: str = ANY
    topic: str = ANY
    words: str = ""


def topic_choices(preferences: Preferences, words: Words, now: datetime) -> list[Choice]:
    """A topic is on while it may still come by some channel."""
    channels = preferences.channels or (ANY,)
    choices = [
        Choice(
            name=name,
            words=label,
            on=any(_open(preferences.states, channel, name, now) for channel in channels),
        )
        for name, label in preferences.topics
        if name != TRACKING
    ]
    tracking = Choice(
        name=TRACKING, words=words("tracking"), on=_open(preferences.states, ANY, TRACKING, now)
    )
    return [*choices, tracking]


def channel_choices(preferences: Preferences, words: Words, now: datetime) -> list[Choice]:
    """A channel is on while some topic may still come by it."""
    topics = [name for name, _ in preferences.topics if name != TRACKING] or [ANY]
    return [
        Choice(
            name=channel,
            words=words.channel(channel),
            on=any(_open(preferences.states, channel, topic, now) for topic in topics),
        )
        for channel in preferences.channels
    ]


def changes(
    choices: Collection[Choice], *, is_topic: bool, shown: Collection[str], wanted: Collection[str]
) -> Iterator[Change]:
    """Only what the person switched, against what the page had shown: an old page undoes nothing by itself."""
    for choice in choices:
        before, after = choice.name in shown, choice.name in wanted
        if before != after:
            topic, channel = (choice.name, ANY) if is_topic else (ANY, choice.name)
            yield Change(on=after, topic=topic, channel=channel, words=choice.words)


def _open(consents: Collection[Consent], channel: str, topic: str, now: datetime) -> bool:
    row = in_force(consents, channel, topic, now)
    return row is None or row.granted
