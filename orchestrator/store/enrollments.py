"""Single enrollments, for callers who ask about one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.errors import NotFound
from orchestrator.ids import ENROLLMENT, public_id
from orchestrator.records.enrollment import Enrollment, Phase
from orchestrator.store.sql.tables import customers, enrollments, playbooks


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresEnrollments:
    """Enrollments as they are stored, on one connection."""

    connection: Connection

    def get(self, customer_id: int, enrollment_id: int) -> Enrollment:
        """Raises NotFound."""
        row = self.connection.execute(
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
            phase=Phase(row.state["phase"]),
            entered_at=row.entered_at,
            held_out=row.held_out,
            because=row.because,
            context=row.context,
            ended_at=row.ended_at,
            end_status=row.end_status,
            created=False,
        )

    def started_by_key(self, customer_id: int, playbook: str, key: str) -> int | None:
        """The enrollment an idempotency key led to before."""
        found: int | None = self.connection.execute(
            select(enrollments.c.id).where(
                enrollments.c.customer_id == customer_id,
                enrollments.c.playbook == playbook,
                enrollments.c.start_key == key,
            )
        ).scalar()
        return found
