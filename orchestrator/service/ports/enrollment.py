"""What enrolling asks of the store."""

from __future__ import annotations

from typing import Protocol

from orchestrator.records.enrollment import Enrollment


class EnrollmentStore(Protocol):
    """Single enrollments, for callers who ask about one."""

    def get(self, customer_id: int, enrollment_id: int) -> Enrollment:
        """One that is stored, as its callers see it. Raises NotFound."""
        ...

    def started_by_key(self, customer_id: int, playbook: str, key: str) -> int | None:
        """The enrollment an idempotency key led to before."""
        ...
