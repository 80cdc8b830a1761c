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
from orchestrator.store.sql.pipeline import together

_NEW_IDS = text("""
SELECT ARRAY(SELECT nextval('enrollment_ids') FROM generate_series(1, :enrollments)) AS enrollments,
       ARRAY(SELECT nextval('message_ids') FROM generate_series(1, :messages)) AS messages,
       ARRAY(SELECT nextval('inbox_ids') FROM generate_series(1, :requests)) AS requests
""")


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


def _number(connection: Connection, customers: Sequence[CustomerState]) -> None:
    """Give new enrollments, messages and inbox rows the ids they are stored under."""
    enrollments = [
        (customer, work) for customer in customers for work in customer.enrollments.values() if work.new
    ]
    messages = [
        message for customer in customers for message in customer.messages.values() if message.id == 0
    ]
    requests = sum(len(customer.requests) for customer in customers)
    if not (enrollments or messages or requests):
        return
    ids = connection.execute(
        _NEW_IDS, {"enrollments": len(enrollments), "messages": len(messages), "requests": requests}
    ).one()
    for message, message_id in zip(messages, ids.messages, strict=True):
        message.id = message_id
    inbox_ids = iter(ids.requests)
    for customer in customers:
        customer.requests = [replace(request, id=next(inbox_ids)) for request in customer.requests]
    for (customer, work), enrollment_id in zip(enrollments, ids.enrollments, strict=True):
        temporary = work.enrollment.enrollment_id
        work.enrollment = replace(work.enrollment, enrollment_id=enrollment_id)
        customer.enrollments[enrollment_id] = customer.enrollments.pop(temporary)
        for message in customer.messages.values():
            if message.enrollment_id == temporary:
                message.enrollment_id = enrollment_id
        customer.new_cooldowns = [
            replace(row, enrollment_id=enrollment_id) if row.enrollment_id == temporary else row
            for row in customer.new_cooldowns
        ]
        customer.conversions = [
            replace(row, enrollment_id=enrollment_id) if row.enrollment_id == temporary else row
            for row in customer.conversions
        ]
