"""An erased customer is never spoken to, nor about: this holds for every kind of message."""

from __future__ import annotations

from orchestrator.core.policies.request import Drop, PolicyRequest

name = "erased"


def verdict(question: PolicyRequest) -> Drop | None:
    if not question.erased:
        return None
    return Drop(
        policy=name, why="the customer's data was erased; nothing may be sent to or about this person"
    )
