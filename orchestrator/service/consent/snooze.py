"""A snooze: the customer asked for silence until an instant, and may end it earlier.

It is a cooldown of everything promotional that no enrollment set and no enrollment lifts; cooldowns set by playbooks
stay as they are when it ends.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.errors import InputError
from orchestrator.service.context import ServiceContext


def snooze(services: ServiceContext, customer_key: str, until: datetime) -> None:
    """Nothing promotional before ``until`` (business time). Raises NotFound, InputError for an instant in the past."""
    with services.store.begin() as transaction:
        customer_id = transaction.customers.find(customer_key)
        transaction.withdrawals.lock([customer_id], wait=True)
        now = transaction.instants().business
        if until <= now:
            raise InputError("$.until", "expected an instant in the future")
        transaction.snoozes.begin(customer_id, starts_at=now, ends_at=until)


def end_snooze(services: ServiceContext, customer_key: str) -> None:
    """Lift every snooze of the customer; messages that waited for its end are due at once. Raises NotFound.

    Nothing about enrollments is decided here, so nothing of them is read.
    """
    with services.store.begin() as transaction:
        customer_id = transaction.customers.find(customer_key)
        transaction.withdrawals.lock([customer_id], wait=True)
        transaction.snoozes.end(customer_id, transaction.instants().business)
