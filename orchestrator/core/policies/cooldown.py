"""A customer in a cooldown hears no other pitch of its scope until it ends.

The enrollment that began it is not held by it: what it still does after its own cooldown step, its author wrote.
"""

from __future__ import annotations

from orchestrator.core.policies.hold_behaviour import as_wished
from orchestrator.core.policies.message_kinds import is_promotion
from orchestrator.core.policies.request import ActiveCooldown, Defer, Drop, PolicyRequest

name = "cooldown"


def verdict(question: PolicyRequest) -> Defer | Drop | None:
    if not is_promotion(question):
        return None
    resting = [rest for rest in question.cooldowns if _holds(rest, question)]
    if not resting:
        return None
    last = max(resting, key=lambda rest: rest.ends_at)
    scope = "everything promotional" if last.scope == "everything" else f"the {last.scope} {last.scope_value}"
    why = f"the customer rests from {scope} until {last.ends_at:%Y-%m-%d %H:%M} UTC ({last.reason})"
    inputs = {
        "scope": last.scope,
        "scope_value": last.scope_value,
        "reason": last.reason,
        "ends_at": last.ends_at.isoformat(),
        "set_by_enrollment": last.enrollment_id,
    }
    waits = Defer(until=last.ends_at, policy=name, why=why, inputs=inputs)
    return as_wished(question.when_resting, waits, refusal=why)


def _holds(rest: ActiveCooldown, question: PolicyRequest) -> bool:
    if rest.ends_at <= question.now or rest.enrollment_id == question.enrollment_id:
        return False
    if rest.scope == "topic":
        return rest.scope_value == question.topic
    if rest.scope == "playbook":
        return rest.scope_value == question.playbook
    return True
