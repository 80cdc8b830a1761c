"""Holds that stand on a condition, such as low health: no signal opens or closes them, so they are asked."""

from __future__ import annotations

from orchestrator.core.policies.request import OpenHold
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.conditions.evaluate import holds
from orchestrator.language.conditions.facts import Facts


def standing_holds(policy: AccountPolicy, facts: Facts) -> list[OpenHold]:
    """Those that stand at ``facts.now``."""
    return [
        OpenHold(name=rule.name, opened_at=facts.now, ends_at=None, topics=frozenset(rule.topics))
        for rule in policy.holds
        if rule.while_ is not None and holds(rule.while_, facts)
    ]
