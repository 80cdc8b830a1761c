"""Channels named in ``needs_consent`` carry promotion only to those who expressly said yes, and still do.

A grant by mere relationship (a purchase, an inquiry, a soft opt-in) is not express and does not open these channels.
"""

from __future__ import annotations

from orchestrator.core.consent.promotion import express_in_force
from orchestrator.core.consent.scope import IMPLIED, covers
from orchestrator.core.policies.message_kinds import is_promotion
from orchestrator.core.policies.request import Drop, PolicyRequest

name = "consent"


def verdict(question: PolicyRequest) -> Drop | None:
    if not is_promotion(question) or question.channel not in question.needs_consent:
        return None
    row = express_in_force(question.consents, question.channel, question.topic, question.now)
    if row is not None and row.granted:
        return None
    return Drop(
        policy=name,
        why=f"{question.channel} needs the customer's consent to the topic {question.topic}; {_missing(question)}",
        inputs={"channel": question.channel, "topic": question.topic},
    )


def _missing(question: PolicyRequest) -> str:
    grants = [
        row
        for row in question.consents
        if row.granted and covers(row.channel, row.topic, question.channel, question.topic)
    ]
    if not grants:
        return "none was given"
    expired = [row.expires_at for row in grants if row.expires_at and row.basis not in IMPLIED]
    if expired:
        return f"the one given expired on {max(expired):%Y-%m-%d}"
    return f"only an implied one is known ({', '.join(sorted({row.basis for row in grants}))})"
