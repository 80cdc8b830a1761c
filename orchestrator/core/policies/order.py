"""The guardrails in their order: the first policy that objects decides, and says why.

The order is part of what a support person is told: an erased customer is never "capped", and quiet hours are not
given as the reason to someone who opted out. The holdout comes last, so that a message counts as held out only at an
instant at which it would really have gone out.

Which message obeys which policy:

- promotional messages (``send`` and ``ask``) obey all of them;
- other messages to the customer obey erased, opted out, reachable and held out;
- a hand-over to a colleague obeys erased and held out, and a promotional one also a withdrawal for every channel;
- a called function tells nobody anything: it obeys erased and held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator.core.policies import (
    consent,
    cooldown,
    erased,
    frequency_cap,
    goal_met,
    held_out,
    hold,
    opted_out,
    quiet_hours,
    reachable,
    reason_gone,
)
from orchestrator.core.policies.request import Allow, PolicyRequest, Verdict


class Policy(Protocol):
    """One guardrail; each file of :mod:`orchestrator.core.policies` is one."""

    @property
    def name(self) -> str: ...

    def verdict(self, question: PolicyRequest) -> Verdict | None:
        """The objection, or None when this policy has none."""


ORDER: tuple[Policy, ...] = (
    erased,
    opted_out,
    consent,
    reachable,
    goal_met,
    reason_gone,
    hold,
    cooldown,
    quiet_hours,
    frequency_cap,
    held_out,
)


def ask(question: PolicyRequest, policies: Sequence[Policy] = ORDER) -> Verdict:
    """Ask every policy in turn; the first objection is the verdict."""
    for policy in policies:
        objection = policy.verdict(question)
        if objection is not None:
            return objection
    return Allow()
