"""The playbook's ``leave`` condition came true: the reason to speak is gone."""

from __future__ import annotations

from orchestrator.core.policies.message_kinds import is_promotion
from orchestrator.core.policies.request import Drop, PolicyRequest

name = "reason_gone"


def verdict(question: PolicyRequest) -> Drop | None:
    if not (question.reason_gone and is_promotion(question)):
        return None
    return Drop(
        policy=name,
        why=f"the reason to speak is gone: the leave condition of {question.playbook} came true",
        inputs={"playbook": question.playbook},
    )
