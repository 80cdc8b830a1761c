"""What may have gone out in the time that a restored database does not know: uncertain, now and ahead."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.customer_state import CustomerState, MessageRow, PendingEvent
from orchestrator.errors import Unavailable
from orchestrator.records.restore import EVERY_STEP, Progress, RestoreState
from orchestrator.service.context import Batch, ServiceContext, these
from orchestrator.service.enrollment.event_queue import apply_pending
from orchestrator.service.enrollment.take_apart import park
from orchestrator.service.messages.doubt import REASON, TOLD_WITHIN, doubt, doubtful_steps

CUSTOMERS_AT_ONCE = 200


def doubt_everybody(services: ServiceContext, restore: RestoreState, progress: Progress) -> None:
    """Every customer with something that moves, in id order, each batch a transaction; taken up where it was left."""
    with services.store.begin() as transaction:
        total = transaction.restores.count_moving()
    after, done = restore.next_customer, 0
    while True:
        with services.store.begin() as transaction:
            ids = transaction.restores.moving(after=after, limit=CUSTOMERS_AT_ONCE)
        if not ids:
            break
        _doubt_or_park(services, restore, ids)
        after, done = ids[-1], done + len(ids)
        progress("enrollments", min(done, total), total)
    with services.store.begin() as transaction:
        transaction.restores.enrollments_done(restore.id, transaction.instants().business)


def _doubt_or_park(services: ServiceContext, restore: RestoreState, ids: Sequence[int]) -> None:
    """Who cannot be read is set aside, alone, and says nothing at any step when somebody lets them go on."""
    try:
        _doubt_some(services, restore, ids)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about one of them
        if len(ids) > 1:
            for customer_id in ids:
                _doubt_or_park(services, restore, [customer_id])
            return
        park(services, ids[0], error)
        with services.store.begin() as transaction:
            settled_by = transaction.instants().machine + TOLD_WITHIN
            uncertain = transaction.restores.doubt_unread(ids[0], reason=REASON, free_at=settled_by)
            transaction.restores.add(restore.id, {"uncertain": uncertain})
            transaction.restores.passed(restore.id, ids[0])


def _doubt_some(services: ServiceContext, restore: RestoreState, ids: Sequence[int]) -> None:
    """One transaction: the messages in hand, the steps ahead, and how far it has come."""
    with services.batch(these(ids)) as batch:
        steps: dict[tuple[int, int], frozenset[str]] = {}
        uncertain = enrollments = 0
        for customer in batch:
            ahead = _steps_ahead(customer, restore)
            steps |= ahead
            enrollments += len(customer.in_order())
            uncertain += _doubt_messages(customer, restore, batch)
        batch.save()
        restores = batch.transaction.restores
        restores.doubt(steps)
        restores.passed(restore.id, max(ids))
        numbers = {
            "uncertain": uncertain,
            "enrollments": enrollments,
            "doubtful_steps": sum(map(len, steps.values())),
        }
        restores.add(restore.id, numbers)


def _steps_ahead(customer: CustomerState, restore: RestoreState) -> dict[tuple[int, int], frozenset[str]]:
    """By enrollment; what an earlier restore left in doubt stays so. One that waits to be read or released may have
    come to any step."""
    ahead = {(customer.customer_id, waiting): frozenset({EVERY_STEP}) for waiting in customer.waiting}
    for work in customer.in_order():
        enrollment_id = work.enrollment.enrollment_id
        before = frozenset(customer.doubtful.get(enrollment_id, ()))
        since = restore.since or restore.until
        ahead[customer.customer_id, enrollment_id] = before | doubtful_steps(work, since, restore.until)
    return ahead


def _doubt_messages(customer: CustomerState, restore: RestoreState, batch: Batch) -> int:
    heard: list[PendingEvent] = []
    count = 0
    for message in list(customer.messages.values()):
        if message.status == "uncertain":
            message.free_at, message.changed = batch.machine + TOLD_WITHIN, True
            continue
        if not _may_have_gone_out(message, restore):
            continue
        event = doubt(customer, message, batch)
        count += 1
        if event is not None:
            heard.append(event)
    apply_pending(customer, heard, batch)
    return count


def _may_have_gone_out(message: MessageRow, restore: RestoreState) -> bool:
    """Planned or on the wire when the backup was made. What quiet hours hold back beyond the lost time did not go."""
    if message.status == "handing_over":
        return True
    if message.status != "planned" or message.held_out:
        return False
    quiet = message.last_verdict is not None and message.last_verdict.policy == "quiet_hours"
    return not (quiet and message.due_at is not None and message.due_at > restore.until)
