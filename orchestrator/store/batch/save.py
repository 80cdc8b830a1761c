"""Writes a batch of changed customers: each table once, whatever the size of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, text

from orchestrator.core.customer_state import CustomerState
from orchestrator.store.batch.save_customers import save_cooldowns_and_holds, save_facts, save_inbox
from orchestrator.store.batch.save_enrollments import save_enrollments
from orchestrator.store.batch.save_messages import save_cap_slots, save_messages, save_verdicts
from orchestrator.store.local_copies import show
from orchestrator.store.sql.pipeline import together

_REQUEST_IDS = text("SELECT nextval('inbox_ids') FROM generate_series(1, :requests)")


def save(
    connection: Connection, customers: Sequence[CustomerState], now: datetime, hash_key: Callable[[str], str]
) -> None:
    """Store everything that changed, in the transaction that holds the customers' locks.

    ``hash_key`` is the keyed hash that is kept of an address.
    """
    _number(connection, customers)
    with together(connection):
        _write(connection, customers, now, hash_key)


def _write(
    connection: Connection, customers: Sequence[CustomerState], now: datetime, hash_key: Callable[[str], str]
) -> None:
    save_enrollments(connection, customers, now)
    save_messages(connection, customers, hash_key)
    save_verdicts(connection, customers, now)
    save_cap_slots(connection, customers)
    save_cooldowns_and_holds(connection, customers, now)
    save_facts(connection, customers, now)
    save_inbox(connection, customers, now)
    show(connection, [copy for customer in customers for copy in customer.local_copies], now)


def _number(connection: Connection, customers: Sequence[CustomerState]) -> None:
    """Give new inbox rows their ids: these say in which order they came."""
    requests = sum(len(customer.requests) for customer in customers)
    if not requests:
        return
    ids = iter(connection.execute(_REQUEST_IDS, {"requests": requests}).scalars().all())
    for customer in customers:
        customer.requests = [replace(request, id=next(ids)) for request in customer.requests]
