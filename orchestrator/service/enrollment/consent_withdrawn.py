"""How a customer's enrollments hear of a withdrawal, after it is in force and what was planned is stopped."""

from __future__ import annotations

from orchestrator.core.customer_state import CustomerState, EnrollmentWork, PendingEvent
from orchestrator.core.machine.events import ConsentWithdrawn, DeliveryOutcome, Settled
from orchestrator.language.model import Ask, Send
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.event_queue import apply_event, apply_pending
from orchestrator.service.enrollment.missed import all_miss
from orchestrator.service.messages.recheck import recheck


def consent_withdrawn(customer: CustomerState, channel: str, topic: str, batch: Batch) -> None:
    """End or move what speaks to the customer in this scope; whoever waits for a message that is no more goes on."""
    withdrawn = ConsentWithdrawn(channel=channel, topic=topic)
    concerned = [work for work in customer.in_order() if _speaks_to_customer(work, batch)]
    apply_pending(customer, [PendingEvent(work=work, event=withdrawn) for work in concerned], batch)
    all_miss(customer, withdrawn)
    for work in customer.in_order():
        _go_on(customer, work, batch)
    recheck(customer, "frequency_cap")  # the cap slots that were kept for what was stopped


def _speaks_to_customer(work: EnrollmentWork, batch: Batch) -> bool:
    """One that tells colleagues alone, and nothing promotional, goes on: a complaint reaches those who can help."""
    playbook = work.published.playbook
    speaks = any(isinstance(step.action, Send | Ask) for step in playbook.steps)
    return speaks or batch.catalogue.policy.promotional(playbook.topic)


def _go_on(customer: CustomerState, work: EnrollmentWork, batch: Batch) -> None:
    """An enrollment that still waits for its message is told that there is none any more."""
    message = customer.messages.get((work.enrollment.enrollment_id, work.enrollment.state.visit))
    if message is None or message.status != "withdrawn":
        return
    unsent = Settled(
        visit=message.visit, outcome=DeliveryOutcome.NOT_SENT, at=batch.now, channel=message.channel
    )
    apply_event(customer, work, unsent, batch)
