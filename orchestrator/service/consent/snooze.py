"""A snooze: the customer asked for silence until an instant, and may end it earlier.

It is a cooldown of everything promotional that no enrollment set and no enrollment lifts; cooldowns set by playbooks
stay as they are when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.customer_state import CustomerState
from orchestrator.errors import InputError
from orchestrator.service.enrollment.apply_events import Batch
from orchestrator.service.enrollment.batch import ServiceContext, alone, in_batch
from orchestrator.service.enrollment.recheck import recheck
from orchestrator.service.ports import Transaction


def snooze(services: ServiceContext, customer_key: str, until: datetime) -> None:
    """Nothing promotional before ``until`` (business time). Raises NotFound, InputError for an instant in the past."""
    with services.store.begin() as transaction:
        customer_id = transaction.customers.find(customer_key)
        transaction.lock([customer_id])
        now = transaction.instants().business
        if until <= now:
            raise InputError("$.until", "expected an instant in the future")
        transaction.snoozes.begin(customer_id, starts_at=now, ends_at=until)


def end_snooze(services: ServiceContext, customer_key: str) -> None:
    """Lift every snooze of the customer; messages that waited for its end are due at once. Raises NotFound."""

    def apply(batch: Batch, customer: CustomerState) -> None:
        batch.inbox(customer)
        recheck(customer, "cooldown")

    def lift(transaction: Transaction, customers: Sequence[CustomerState], batch: Batch) -> None:
        for customer in customers:
            transaction.snoozes.end(customer.customer_id, batch.now)

    with services.store.begin() as transaction:
        customer_id = transaction.customers.find(customer_key)
    in_batch(services, alone(customer_id), apply, after=lift)
