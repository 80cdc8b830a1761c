"""``start_playbook``: the product begins an enrollment. Idempotent per key, and it says why when it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from orchestrator.core.customer_state import EnrollmentWork
from orchestrator.core.entry import StartRefusal
from orchestrator.errors import InputError, StartRefused
from orchestrator.ids import ENROLLMENT, public_id
from orchestrator.records.enrollment import Enrollment
from orchestrator.service.context import ServiceContext, alone
from orchestrator.service.enrollment.apply_inbox import apply_inbox
from orchestrator.service.enrollment.enter import enter
from orchestrator.service.intake.validate import checked_context, checked_id, problem_with_key


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
    with services.batch(alone(customer_id), starting=[name]) as batch:
        customer = batch.one()
        known = (
            batch.transaction.enrollments.started_by_key(customer_id, name, key) if key is not None else None
        )
        apply_inbox(customer, batch)
        begun: EnrollmentWork | StartRefusal | int
        if known is not None:
            begun = known
        else:
            begun = enter(customer, name, batch, context=given, trigger="product", start_key=key)
        batch.save()
    match begun:
        case EnrollmentWork():
            return enrollment_of(begun, customer_key)
        case StartRefusal():
            raise StartRefused(begun.reason, begun.why)
        case int():
            with services.store.begin() as transaction:
                return transaction.enrollments.get(customer_id, begun)
        case _:
            assert_never(begun)


def enrollment_of(work: EnrollmentWork, customer_key: str) -> Enrollment:
    """The enrollment as its callers see it."""
    enrollment, state = work.enrollment, work.enrollment.state
    return Enrollment(
        id=public_id(ENROLLMENT, enrollment.customer_id, enrollment.enrollment_id),
        customer=customer_key,
        playbook=enrollment.playbook,
        version=work.published.version,
        step=state.step,
        phase=state.phase,
        entered_at=enrollment.entered_at,
        held_out=enrollment.held_out,
        because=enrollment.because,
        context=dict(enrollment.context),
        ended_at=state.ended_at,
        end_status=state.end_status,
    )
