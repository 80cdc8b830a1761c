"""``start_playbook``: the product begins a walk. Idempotent per key, and it says why when it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.customer_state import Walker, Work
from orchestrator.core.entry import Refusal
from orchestrator.errors import InputError, StartRefused
from orchestrator.ids import ENROLLMENT, public_id
from orchestrator.service.enrollment.apply_events import Fold
from orchestrator.service.enrollment.batch import Ground, in_batch
from orchestrator.service.intake.validate import checked_context, checked_id, problem_with_key
from orchestrator.service.ports import StoredRun, Transaction
from orchestrator.service.values import Enrollment


def start_playbook(
    ground: Ground,
    customer: str,
    name: str,
    *,
    context: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Enrollment:
    """Begin playbook ``name`` for the customer with the product's key ``customer``, who is made if unknown.

    Raises NotFound for a playbook nobody published, InputError for a bad key, StartRefused with the reason.
    """
    wrong = problem_with_key(customer)
    if wrong is not None:
        raise InputError("$.customer", wrong)
    if key is not None:
        checked_id(key, "$.key")
    given = checked_context(context or {})
    with ground.store.begin() as transaction:
        transaction.catalogue(at_once=True).named(name)
        now = transaction.instants().business
        customer_id = transaction.ensure_customers([customer], now).get(customer)
    if customer_id is None:
        raise StartRefused("erased", "the person asked to be forgotten")
    answer: list[Walker | Refusal] = []
    known: list[int] = []

    def claiming(transaction: Transaction, _: object) -> list[int]:
        locked = transaction.lock([customer_id])
        if key is not None:
            enrollment = transaction.started_by_key(customer_id, name, key)
            known.extend([enrollment] if enrollment is not None else [])
        return locked

    def folding(fold: Fold, work: Work) -> None:
        fold.inbox(work)
        if known:
            return
        answer.append(fold.start(work, name, context=given, trigger="product", start_key=key))

    works = in_batch(ground, claiming, folding, starting=[name])
    return _answer(ground, works, answer, known, customer)


def _answer(
    ground: Ground,
    works: Sequence[Work],
    answer: Sequence[Walker | Refusal],
    known: Sequence[int],
    customer: str,
) -> Enrollment:
    if known:
        with ground.store.begin() as transaction:
            return _known(transaction.enrollment(works[0].customer_id, known[0]))
    made = answer[0]
    if isinstance(made, Refusal):
        raise StartRefused(made.reason, made.why)
    return enrollment_of(made, customer)


def enrollment_of(walker: Walker, customer: str) -> Enrollment:
    """The run as its callers see it."""
    run, state = walker.run, walker.run.state
    return Enrollment(
        id=public_id(ENROLLMENT, run.customer_id, run.enrollment_id),
        customer=customer,
        playbook=run.playbook,
        version=walker.published.version,
        step=state.step,
        phase=state.phase.value,
        entered_at=run.entered_at,
        held_out=run.held_out,
        because=run.because,
        context=dict(run.context),
        ended_at=state.ended_at,
        end_word=state.end_word,
    )


def _known(run: StoredRun) -> Enrollment:
    return Enrollment(
        id=run.id,
        customer=run.customer,
        playbook=run.playbook,
        version=run.version,
        step=run.step,
        phase=run.phase,
        entered_at=run.entered_at,
        held_out=run.held_out,
        because=run.because,
        context=run.context,
        ended_at=run.ended_at,
        end_word=run.end_word,
        created=False,
    )
