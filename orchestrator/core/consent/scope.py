"""Which consent row speaks for a channel and topic: shared by the opt-out policy, the consent policy and the service.

A row names a channel and a topic, either of which may be ``*``. A withdrawal stands until a *later* grant takes it
back, and a grant takes back only what it names: it must be as narrow as the withdrawal or narrower. So "yes to upsell
by email" reopens exactly that after "stop everything", while a general "yes" never undoes a particular "no". Nor does
a grant that nobody spoke out: who said no and then buys something has still said no.
An expired row says nothing any more; at the same instant the withdrawal wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.records.consent import Consent

ANY = "*"
TRACKING = "tracking"  # a purpose of its own: no answer about messages gives or takes it
IMPLIED = frozenset({"implied_purchase", "implied_inquiry", "soft_opt_in", "contract", "legitimate_interest"})
"""Bases by mere relationship: they may open a channel, but never take back what somebody expressly said."""


def covers(row_channel: str, row_topic: str, channel: str, topic: str) -> bool:
    """Whether a row about (row_channel, row_topic) says something about (channel, topic).

    Asking for the channel ``*`` means every channel at once: only a row for every channel covers that.
    """
    if topic == TRACKING and row_topic == ANY:
        return False
    return row_channel in (ANY, channel) and row_topic in (ANY, topic)


def in_force(consents: Iterable[Consent], channel: str, topic: str, now: datetime) -> Consent | None:
    """The row that decides: the latest standing withdrawal, else the latest grant, else None (nothing was said)."""
    rows = [
        row
        for row in consents
        if covers(row.channel, row.topic, channel, topic) and (row.expires_at is None or row.expires_at > now)
    ]
    grants = [row for row in rows if row.granted]
    standing = [row for row in rows if not row.granted and not any(_reopens(grant, row) for grant in grants)]
    return max(standing or grants, key=lambda row: row.since, default=None)


def is_closed(consents: Sequence[Consent], channel: str, topic: str, now: datetime) -> bool:
    """Whether a withdrawal covers all of (channel, topic) and no later yes opened any part of it again."""
    row = in_force(consents, channel, topic, now)
    if row is None or row.granted:
        return False
    return not any(_is_open_in(consents, grant, channel, topic, now) for grant in consents if grant.granted)


def _is_open_in(consents: Sequence[Consent], grant: Consent, channel: str, topic: str, now: datetime) -> bool:
    """Whether what ``grant`` and (channel, topic) have in common, if anything, is open."""
    common = (grant.channel if channel == ANY else channel, grant.topic if topic == ANY else topic)
    if not (covers(grant.channel, grant.topic, *common) and covers(channel, topic, *common)):
        return False
    row = in_force(consents, *common, now)
    return row is not None and row.granted


def _reopens(grant: Consent, withdrawal: Consent) -> bool:
    return (
        grant.basis not in IMPLIED
        and grant.since > withdrawal.since
        and covers(withdrawal.channel, withdrawal.topic, grant.channel, grant.topic)
    )
