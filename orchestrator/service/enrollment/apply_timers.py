"""Lets time do its part: every enrollment of one customer whose instant has come."""

from __future__ import annotations

from orchestrator.core.customer_state import CustomerState
from orchestrator.core.machine.events import TimerDue
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.event_queue import apply_event


def apply_timers(customer: CustomerState, batch: Batch) -> None:
    """The most important first; none while more waits in the inbox."""
    if customer.inbox_waits:
        return
    for work in customer.in_order():
        due = work.enrollment.state.due_at
        if due is not None and due <= batch.now:
            apply_event(customer, work, TimerDue(), batch)
