"""Takes a batch that fails apart, until it is known whose fault it is: whole, then halves, then ones.

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

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from orchestrator.errors import Contended, SchemaMismatch, TimedOut, Unavailable
from orchestrator.service.context import Claim, ServiceContext, those_free_of
from orchestrator.service.enrollment.failures import cause_of, park_all
from orchestrator.telemetry import emit

Result = TypeVar("Result")


def take_apart(
    services: ServiceContext, claim: Claim, work: Callable[[Claim], Result], *, task: str
) -> Iterator[Result]:
    """What ``work`` answers for ``claim``, one transaction; for several parts of it when the whole cannot be done.

    A generator: each answer is given as soon as its transaction is committed, before the next is begun, because what
    was authorised in it is good for seconds. Who failed is set aside when it is exhausted; ``claim.ids`` are all whom
    it took. Customers whose fold failed in a batch that went well (``claim.failed``) have failed alone.

    Raises Unavailable for an outage, and whatever fails before anybody is taken.
    """
    if not services.claiming.allowed():
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
    _judge(services, len(claim.ids), failed)


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


def _judge(services: ServiceContext, taken: int, failed: dict[int, Exception]) -> None:
    """Whether those who failed alone are at fault, or this build."""
    if not taken:
        return
    fault = services.claiming.too_many(taken, (type(cause_of(error)).__name__ for error in failed.values()))
    if fault is not None:
        services.claiming.stop(fault)
        return
    park_all(services, failed)
    if len(failed) < taken:
        services.claiming.worked()
