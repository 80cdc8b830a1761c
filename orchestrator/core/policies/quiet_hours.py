"""No promotional message at a customer's night; the arithmetic is :mod:`orchestrator.core.quiet_hours`.

Texts to a phone fail closed: with no better clue than the account's default zone, the customer might be anywhere.
"""

from __future__ import annotations

from channels.table import traits_of
from orchestrator.core.policies.message_kinds import is_promotion
from orchestrator.core.policies.request import Defer, Drop, PolicyRequest
from orchestrator.core.quiet_hours import next_allowed, windows_for

name = "quiet_hours"


def verdict(question: PolicyRequest) -> Defer | Drop | None:
    if not is_promotion(question):
        return None
    windows = windows_for(question.channel, question.quiet)
    if not windows:
        return None
    closed = traits_of(question.channel).fails_closed
    zones = () if closed and question.zone_source == "account" else question.zones
    until = next_allowed(question.now, question.channel, question.region, zones, windows)
    if until == question.now:
        return None
    judged = zones if closed else zones[:1]
    inputs = {
        "channel": question.channel,
        "region": question.region,
        "zones": [zone.key for zone in judged],
        "zone_source": question.zone_source if judged else None,
        "windows": [f"{window.channel} {window.from_}-{window.until}" for window in windows],
    }
    where = ", ".join(str(zone.key) for zone in judged[:3]) or "a time zone nobody knows"
    if len(judged) > 3:
        where = f"{len(judged)} possible time zones"
    if until is None:
        why = f"no hour of the coming week is outside the quiet hours for {question.channel} in {where}"
        return Drop(policy=name, why=why, inputs=inputs)
    why = f"quiet hours for {question.channel} in {where} until {until:%Y-%m-%d %H:%M} UTC"
    return Defer(until=until, policy=name, why=why, inputs={**inputs, "until": until.isoformat()})
