"""Nobody is offered what they already took."""

from __future__ import annotations

from orchestrator.core.policies.message_kinds import is_promotion
from orchestrator.core.policies.request import Drop, PolicyRequest

name = "goal_met"


def verdict(question: PolicyRequest) -> Drop | None:
    if not (question.goal_met and is_promotion(question)):
        return None
    return Drop(
        policy=name,
        why=f"the customer already did what {question.playbook} is for",
        inputs={"playbook": question.playbook},
    )
