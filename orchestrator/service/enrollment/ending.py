"""What an enrollment's end leaves behind: it is over for whoever asks, and who ignored everything is let alone."""

from __future__ import annotations

from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.machine.commands import BeginCooldown
from orchestrator.language.model import Cooldown
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.cooldowns import begin_cooldown

_NOT_GOT = frozenset({"bounced", "failed", "not_sent"})  # nobody ignores what did not reach them
# Outcomes that are an answer: somebody who gave one did not ignore us.
_ANSWERS = frozenset({"clicked", "replied", "answered", "dismissed", "negative", "closed", "met"})


def enrollment_ended(customer: CustomerState, work: EnrollmentWork, batch: Batch) -> None:
    """Called once, when the enrollment has ended and its last decision is carried out."""
    enrollment = work.enrollment
    if not any(
        other.enrollment.state.live and other.enrollment.playbook == enrollment.playbook
        for other in customer.enrollments.values()
    ):
        customer.facts.playbooks[enrollment.playbook] = "ended"
    silence = batch.catalogue.policy.ignored_cooldown.span
    if silence and _was_ignored(work, batch):
        wanted = BeginCooldown(
            visit=enrollment.state.visit, scope="everything", scope_value="*", until=batch.now + silence
        )
        begin_cooldown(customer, work, wanted, "ignored")


def _was_ignored(work: EnrollmentWork, batch: Batch) -> bool:
    state = work.enrollment.state
    compiled = work.published.compiled
    rested = any(isinstance(compiled.step(step).action, Cooldown) for step in state.visits)
    return (
        state.any_sent
        and not rested
        and state.converted_at is None
        and state.end_status not in ("opted_out", "erased", "left", "stopped")
        and batch.catalogue.policy.promotional(work.published.playbook.topic)
        and not _ANSWERS & set(state.outcomes.values())
        and any(state.outcomes.get(step) not in _NOT_GOT for step in state.channels)
    )
