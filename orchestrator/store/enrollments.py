"""Single runs and customers by id, for callers who ask about one."""

from __future__ import annotations

from sqlalchemy import Connection, select

from orchestrator.errors import NotFound
from orchestrator.ids import ENROLLMENT, public_id
from orchestrator.records.enrollment import Enrollment
from orchestrator.store.sql.tables import customers, enrollments, messages, playbooks


def enrollment(connection: Connection, customer_id: int, enrollment_id: int) -> Enrollment:
    """Raises NotFound."""
    row = connection.execute(
        select(enrollments, customers.c.key, playbooks.c.version)
        .join(customers, customers.c.id == enrollments.c.customer_id)
        .join(playbooks, playbooks.c.id == enrollments.c.playbook_id)
        .where(enrollments.c.customer_id == customer_id, enrollments.c.id == enrollment_id)
    ).first()
    public = public_id(ENROLLMENT, customer_id, enrollment_id)
    if row is None:
        raise NotFound("enrollment", public)
    return Enrollment(
        id=public,
        customer=row.key,
        playbook=row.playbook,
        version=row.version,
        step=row.step,
        phase=row.state["phase"],
        entered_at=row.entered_at,
        held_out=row.held_out,
        because=row.because,
        context=row.context,
        ended_at=row.ended_at,
        end_status=row.end_status,
        created=False,
    )


def key_of(connection: Connection, customer_id: int) -> str:
    """The product's key of a customer. Raises NotFound."""
    key: str | None = connection.execute(
        select(customers.c.key).where(customers.c.id == customer_id, customers.c.erased_at.is_(None))
    ).scalar()
    if key is None:
        raise NotFound("customer", str(customer_id))
    return key


def locale_of(connection: Connection, customer_id: int) -> str | None:
    locale: str | None = connection.execute(
        select(customers.c.locale).where(customers.c.id == customer_id)
    ).scalar()
    return locale


def region_of(connection: Connection, customer_id: int) -> str | None:
    region: str | None = connection.execute(
        select(customers.c.region).where(customers.c.id == customer_id)
    ).scalar()
    return region


def has_message(connection: Connection, customer_id: int, message_id: int) -> bool:
    found = connection.execute(
        select(messages.c.id).where(messages.c.customer_id == customer_id, messages.c.id == message_id)
    )
    return found.first() is not None
