"""A withdrawal stops every message it covers, also those that are not promotional: silence was asked for there.

A hand-over goes to a colleague, not to the customer. It is stopped only when it is promotional and the withdrawal is
for every channel: then a colleague's call would be the same pitch by another mouth. A hand-over to support after a
complaint is not promotional and goes on. A called function tells nobody anything.
"""

from __future__ import annotations

from orchestrator.core.consent.scope import ANY, in_force
from orchestrator.core.policies.request import Drop, PolicyRequest
from orchestrator.records.consent import Consent

name = "opted_out"


def verdict(question: PolicyRequest) -> Drop | None:
    if question.kind == "call" or (question.kind == "handoff" and not question.promotional):
        return None
    channel = ANY if question.kind == "handoff" else question.channel
    row = in_force(question.consents, channel, question.topic, question.now)
    if row is None or row.granted:
        return None
    return Drop(
        policy=name,
        why=f"the customer opted out of {_scope(row)} on {row.since:%Y-%m-%d %H:%M} UTC",
        inputs={
            "channel": row.channel,
            "topic": row.topic,
            "since": row.since.isoformat(),
            "expires_at": row.expires_at and row.expires_at.isoformat(),
        },
    )


def _scope(row: Consent) -> str:
    topic = "everything" if row.topic == ANY else f"the topic {row.topic}"
    return f"{topic} on every channel" if row.channel == ANY else f"{topic} by {row.channel}"
