"""Has waiting messages asked anew as soon as what they wait for may have changed, and not only at the instant that was
computed when they began to wait."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.core.customer_state import CustomerState
from orchestrator.language.account.policy import AccountPolicy

HEARD_EVERYWHERE = timedelta(
    seconds=1
)  # machine time: by then every process works by what was just published


def recheck(customer: CustomerState, *policies: str) -> None:
    """Messages that one of these policies holds back are due at once; every policy is asked when they are taken."""
    for message in customer.messages.values():
        held_by = message.last_verdict.policy if message.last_verdict is not None else None
        if message.status == "planned" and held_by in policies:
            message.due_at = customer.now
            message.changed = True


def profile_changed(customer: CustomerState) -> None:
    """Something about the customer: a zone moves the nights, and a hold may stand on a condition."""
    recheck(customer, "hold", "quiet_hours")


def signalled(customer: CustomerState, policy: AccountPolicy) -> None:
    """A signal may end the condition on which a hold stands."""
    if any(rule.while_ is not None for rule in policy.holds):
        recheck(customer, "hold")


def policy_published(customer: CustomerState, machine: datetime) -> None:
    """The account has another policy: whatever waits is asked by it, as soon as every process has heard of it."""
    for message in customer.messages.values():
        if message.status == "planned" and message.due_at is not None and message.due_at > customer.now:
            message.due_at = customer.now
            message.free_at = max(message.free_at or machine, machine + HEARD_EVERYWHERE)
            message.changed = True
