"""Lets go on what was set aside because deciding about it failed, once its cause was put right."""

from __future__ import annotations

from orchestrator.service.context import ServiceContext


def release(services: ServiceContext, customer_id: int, enrollment_id: int) -> bool:
    """Release one parked enrollment, or with the id 0 the whole customer. False when it was not parked."""
    with services.store.begin() as transaction:
        return transaction.parking.release(customer_id, enrollment_id)
