"""Everything allows it, and the customer is in the holdout: recorded at this instant, not sent, not done."""

from __future__ import annotations

from orchestrator.core.policies.request import HoldOut, PolicyRequest

name = "held_out"


def verdict(question: PolicyRequest) -> HoldOut | None:
    if not question.held_out:
        return None
    return HoldOut(
        why=f"the customer is in the holdout of {question.playbook}: recorded, not sent",
        inputs={"playbook": question.playbook},
    )
