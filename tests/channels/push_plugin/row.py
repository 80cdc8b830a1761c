"""What push notifications are, for the engine: one row of the table of channels."""

from __future__ import annotations

from channels.traits import ChannelTraits

PUSH = ChannelTraits(
    name="push",
    label={"en": "Push notification", "de": "Push-Nachricht"},
    address="opaque",
    trait="push_token",
    at_once=("clicked", "dismissed", "bounced", "failed"),
    marks_address=True,
    express_consent=True,
    quiet_hours_of=("sms",),
    fails_closed=True,
    provider_queues=True,
    header=("title", "url"),
)
