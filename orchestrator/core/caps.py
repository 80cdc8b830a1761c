"""Frequency caps: at most N messages in a rolling window, counted from the places that were taken.

A place taken at ``t`` counts at every instant of ``[t, t + within)`` and no longer at ``t + within``: at ``now`` it
counts exactly when ``handed_at > now - within``, which is also how the store and the invariants count. So any
half-open window of that length holds at most N. A place dated after ``now`` counts: clocks may jump, caps may not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.policies.request import CapSlot
from orchestrator.language.model import Cap


def rules_for(channel: str, topic: str, caps: Iterable[Cap]) -> list[Cap]:
    """The caps that count a message of this channel and topic, each once."""
    return [cap for cap in dict.fromkeys(caps) if _counts(cap, channel, topic)]


def counted(now: datetime, slots: Iterable[CapSlot], cap: Cap) -> list[datetime]:
    """The instants of the places the cap counts at ``now``, oldest first."""
    since = now - cap.within.span
    return sorted(
        slot.handed_at for slot in slots if _counts(cap, slot.channel, slot.topic) and slot.handed_at > since
    )


def room_at(now: datetime, slots: Iterable[CapSlot], cap: Cap) -> datetime | None:
    """The first instant from ``now`` on at which one more message fits; None when the cap allows none at all."""
    if cap.at_most < 1:
        return None
    taken = counted(now, slots, cap)
    if len(taken) < cap.at_most:
        return now
    return taken[-cap.at_most] + cap.within.span


def describe(cap: Cap) -> str:
    """The rule in words: ``3 messages by email about upsell in 7d``."""
    noun = "message" if cap.at_most == 1 else "messages"
    channel = f" by {cap.channel}" if cap.channel else ""
    topic = f" about {cap.topic}" if cap.topic else ""
    return f"{cap.at_most} {noun}{channel}{topic} in {cap.within}"


def _counts(cap: Cap, channel: str, topic: str) -> bool:
    return cap.channel in (None, channel) and cap.topic in (None, topic)
