"""Everything that is due of one customer by time or because it came in, one item at a time.

The order is the law: what came from outside, then what became known of hand-overs, then timers, then messages by
priority. Each item sees what the one before it did. Nothing here reads or writes the database.
"""

from __future__ import annotations

from orchestrator.core.customer_state import CustomerState
from orchestrator.core.machine.events import TimerDue
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.apply_inbox import apply_inbox
from orchestrator.service.enrollment.event_queue import apply_event
from orchestrator.service.enrollment.missed import apply_missed


def apply_events(customer: CustomerState, batch: Batch) -> None:
    """What needs no provider: what a wait made them miss, the inbox, then the timers."""
    apply_missed(customer, batch)
    apply_inbox(customer, batch)
    apply_timers(customer, batch)


def apply_timers(customer: CustomerState, batch: Batch) -> None:
    """Every enrollment whose instant has come, the most important first."""
    for work in customer.in_order():
        due = work.enrollment.state.due_at
        if due is not None and due <= batch.now:
            apply_event(customer, work, TimerDue(), batch)
