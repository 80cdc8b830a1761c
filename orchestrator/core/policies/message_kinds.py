"""What a question is about, said once for all policies."""

from __future__ import annotations

from orchestrator.core.policies.request import PolicyRequest


def is_to_customer(question: PolicyRequest) -> bool:
    """A message that the customer reads; hand-overs go to a colleague and calls to a function."""
    return question.kind in ("send", "ask")


def is_promotion(question: PolicyRequest) -> bool:
    """A promotional message to the customer: what consent, rests, quiet hours and caps are for."""
    return question.promotional and is_to_customer(question)
