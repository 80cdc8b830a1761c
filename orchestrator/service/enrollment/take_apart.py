"""Takes a batch that fails apart, until it is known whose fault it is: whole, then halves, then ones. What is at fault
is set aside with the reason until a person has looked.

=================================  ==================================================================================
what is raised                     what happens
=================================  ==================================================================================
an outage (Unavailable)            raised: the batch is left, nobody is set aside
contention (Contended)             halves; a customer whose lock does not come alone keeps their place
the build's fault (SchemaMismatch) this process takes nobody more, nobody is set aside
anything else                      halves; who fails alone is set aside: the enrollment that the error names, else
                                   the customer. Too many who fail alike are the build's fault
=================================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from orchestrator.errors import Contended, OrchestratorError, SchemaMismatch, TimedOut, Unavailable
from orchestrator.service.context import Claim, ServiceContext, those_free_of
from orchestrator.telemetry import emit

Result = TypeVar("Result")
WHOLE_CUSTOMER = 0  # in the place of an enrollment's id


class EnrollmentFailed(OrchestratorError):
    """An exception, the cause, that arose while an event of one enrollment was applied: the customer's others are
    not concerned."""

    def __init__(self, enrollment_id: int, playbook_id: int, where: str) -> None:
        self.enrollment_id = enrollment_id
        self.playbook_id = playbook_id
        self.where = where
        super().__init__(where)


def take_apart(
    services: ServiceContext,
    claim: Claim,
    work: Callable[[Claim], Result],
    *,
    task: str,
    always: bool = False,
) -> Iterator[Result]:
    """What ``work`` answers for ``claim``, one transaction; for several parts of it when the whole cannot be done.

    A generator: each answer is given as soon as its transaction is committed, before the next is begun, because what
    was authorised in it is good for seconds. Who failed is set aside when it is exhausted; ``claim.ids`` are all whom
    it took. Customers whose fold failed in a batch that went well (``claim.failed``) have failed alone. While this
    process takes nobody there is no answer at all, unless the work has to be done ``always``.

    Raises Unavailable for an outage, and whatever fails before anybody is taken.
    """
    if not always and not services.claiming.allowed():
        return
    failed: dict[int, Exception] = {}
    parts: list[Claim] = [claim]
    try:
        while parts:
            part = parts.pop()
            try:
                result = work(part)
            except Exception as error:
                if _is_outage(error) or isinstance(error, SchemaMismatch):
                    raise
                if not part.ids and not (part is claim and isinstance(error, Contended)):
                    raise
                parts += _halves(part, error, failed, task)
                continue
            failed.update(part.failed)
            yield result
    except SchemaMismatch as error:
        emit("batch.failed", task=task, customers=len(claim.ids), error=type(error).__name__)
        services.claiming.stop(str(error))
        return
    claim.failed.update(failed)
    _judge(services, len(claim.ids), failed, claims=not always)


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


def cause_of(error: BaseException) -> BaseException:
    """What really happened, without the wrapper that says to which enrollment."""
    return error.__cause__ or error if isinstance(error, EnrollmentFailed) else error


def _is_outage(error: Exception) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, Contended | TimedOut)


def _halves(part: Claim, error: Exception, failed: dict[int, Exception], task: str) -> list[Claim]:
    """The two halves of a part, the first of them last; of one customer none, and what became of them is noted."""
    ids: Sequence[int] = part.ids
    if len(ids) > 1:
        emit("batch.failed", task=task, customers=len(ids), error=type(cause_of(error)).__name__)
        middle = len(ids) // 2
        return [those_free_of(ids[middle:]), those_free_of(ids[:middle])]
    if not isinstance(error, Contended):
        failed.update(dict.fromkeys(ids, error))
    return []


def _judge(services: ServiceContext, taken: int, failed: dict[int, Exception], *, claims: bool) -> None:
    """Whether those who failed alone are at fault, or this build."""
    if not taken:
        return
    fault = services.claiming.too_many(taken, (type(cause_of(error)).__name__ for error in failed.values()))
    if fault is not None:
        services.claiming.stop(fault)
        return
    park_all(services, failed)
    if claims and len(failed) < taken:
        services.claiming.worked()


def _enrollment_of(error: Exception) -> int:
    """The enrollment an error names; one that was about to begin has no row that could be set aside."""
    if isinstance(error, EnrollmentFailed) and error.enrollment_id > 0:
        return error.enrollment_id
    return WHOLE_CUSTOMER


def _detail(error: Exception) -> str:
    text = str(cause_of(error))
    return f"{error.where}: {text}" if isinstance(error, EnrollmentFailed) else text
