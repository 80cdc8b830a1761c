"""``start_playbook``: the product begins a walk. Idempotent per key, and it says why when it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.entry import StartRefusal
from orchestrator.errors import InputError, StartRefused
from orchestrator.ids import ENROLLMENT, public_id
from orchestrator.records.enrollment import Enrollment
from orchestrator.service.enrollment.apply_events import Batch
from orchestrator.service.enrollment.batch import ServiceContext, in_batch
from orchestrator.service.intake.validate import checked_context, checked_id, problem_with_key
from orchestrator.service.ports import Transaction


def start_playbook(
    services: ServiceContext,
    customer_key: str,
    name: str,
    *,
    context: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Enrollment:
    """Begin playbook ``name`` for the customer with the product's key ``customer``, who is made if unknown.

    Raises NotFound for a playbook nobody published, InputError for a bad key, StartRefused with the reason.
    """
    wrong = problem_with_key(customer_key)
    if wrong is not None:
        raise InputError("$.customer", wrong)
    if key is not None:
        checked_id(key, "$.key")
    given = checked_context(context or {})
    with services.store.begin() as transaction:
        transaction.catalogue(at_once=True).named(name)
        now = transaction.instants().business
        customer_id = transaction.customers.ensure([customer_key], now).get(customer_key)
    if customer_id is None:
        raise StartRefused("erased", "the person asked to be forgotten")
    answer: list[EnrollmentWork | StartRefusal] = []
    known: list[int] = []

    def claiming(transaction: Transaction, _: object) -> list[int]:
        locked = transaction.lock([customer_id])
        if key is not None:
            enrollment = transaction.enrollments.started_by_key(customer_id, name, key)
            known.extend([enrollment] if enrollment is not None else [])
        return locked

    def apply(batch: Batch, customer: CustomerState) -> None:
        batch.inbox(customer)
        if known:
            return
        answer.append(batch.start(customer, name, context=given, trigger="product", start_key=key))

    customers = in_batch(services, claiming, apply, starting=[name])
    return _answer(services, customers, answer, known, customer_key)


def _answer(
    services: ServiceContext,
    customers: Sequence[CustomerState],
    answer: Sequence[EnrollmentWork | StartRefusal],
    known: Sequence[int],
    customer_key: str,
) -> Enrollment:
    if known:
        with services.store.begin() as transaction:
            return transaction.enrollments.get(customers[0].customer_id, known[0])
    made = answer[0]
    if isinstance(made, StartRefusal):
        raise StartRefused(made.reason, made.why)
    return enrollment_of(made, customer_key)


def enrollment_of(work: EnrollmentWork, customer_key: str) -> Enrollment:
    """The run as its callers see it."""
    enrollment, state = work.enrollment, work.enrollment.state
    return Enrollment(
        id=public_id(ENROLLMENT, enrollment.customer_id, enrollment.enrollment_id),
        customer=customer_key,
        playbook=enrollment.playbook,
        version=work.published.version,
        step=state.step,
        phase=state.phase.value,
        entered_at=enrollment.entered_at,
        held_out=enrollment.held_out,
        because=enrollment.because,
        context=dict(enrollment.context),
        ended_at=state.ended_at,
        end_status=state.end_status,
    )
