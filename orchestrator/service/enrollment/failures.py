"""What failed while a customer was decided about: named, and set aside with the reason until a person has looked."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.errors import OrchestratorError
from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit

WHOLE_CUSTOMER = 0  # in the place of an enrollment's id


class EnrollmentFailed(OrchestratorError):
    """An exception, the cause, that arose while an event of one enrollment was applied: the customer's others are
    not concerned."""

    def __init__(self, enrollment_id: int, playbook_id: int, where: str) -> None:
        self.enrollment_id = enrollment_id
        self.playbook_id = playbook_id
        self.where = where
        super().__init__(where)


def cause_of(error: BaseException) -> BaseException:
    """What really happened, without the wrapper that says to which enrollment."""
    return error.__cause__ or error if isinstance(error, EnrollmentFailed) else error


def park(services: ServiceContext, customer_id: int, error: Exception) -> None:
    """Set aside what :func:`park_all` sets aside of one customer."""
    park_all(services, {customer_id: error})


def park_all(services: ServiceContext, failed: Mapping[int, Exception]) -> None:
    """Set aside, by customer, the enrollment that an error names, else the whole customer; in one transaction."""
    if not failed:
        return
    with services.store.begin() as transaction:
        now = transaction.instants().business
        for customer_id, error in failed.items():
            transaction.parking.park(
                customer_id,
                enrollment_id=_enrollment_of(error),
                reason=type(cause_of(error)).__name__,
                detail=_detail(error),
                now=now,
            )
    for customer_id, error in failed.items():
        kind = type(cause_of(error)).__name__
        enrollment_id = _enrollment_of(error)
        if enrollment_id == WHOLE_CUSTOMER:
            emit("customer.parked", customer_id=customer_id, error=kind)
        else:
            emit("enrollment.parked", customer_id=customer_id, enrollment_id=enrollment_id, error=kind)


def _enrollment_of(error: Exception) -> int:
    """The enrollment an error names; one that was about to begin has no row that could be set aside."""
    if isinstance(error, EnrollmentFailed) and error.enrollment_id > 0:
        return error.enrollment_id
    return WHOLE_CUSTOMER


def _detail(error: Exception) -> str:
    text = str(cause_of(error))
    return f"{error.where}: {text}" if isinstance(error, EnrollmentFailed) else text
