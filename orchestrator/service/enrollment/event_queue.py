"""Moves enrollments of one customer: events are decided, commands carried out, and what follows from them comes next.

The queue is worked off depth first: everything that a command leads to is over before the next command of the same
decision begins. So each event finds the customer as whatever happened before it left them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.customer_state import CustomerState, EnrollmentWork, PendingEvent
from orchestrator.core.machine.commands import Command
from orchestrator.core.machine.decide import decide
from orchestrator.core.machine.events import EnrollmentEvent
from orchestrator.errors import StoreError
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.apply_commands import apply_command
from orchestrator.service.enrollment.ending import enrollment_ended
from orchestrator.service.enrollment.take_apart import EnrollmentFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class _PendingCommand:
    work: EnrollmentWork
    command: Command


@dataclass(frozen=True, kw_only=True, slots=True)
class _PendingEnd:
    work: EnrollmentWork


_Pending = PendingEvent | _PendingCommand | _PendingEnd


def apply_event(customer: CustomerState, work: EnrollmentWork, event: EnrollmentEvent, batch: Batch) -> None:
    """Let ``event`` move one enrollment, with all that follows for this and the customer's others."""
    apply_pending(customer, [PendingEvent(work=work, event=event)], batch)


def apply_to_all(customer: CustomerState, event: EnrollmentEvent, batch: Batch) -> None:
    """Let ``event`` move every live enrollment, the most important first."""
    apply_pending(customer, [PendingEvent(work=work, event=event) for work in customer.in_order()], batch)


def apply_pending(customer: CustomerState, events: Sequence[PendingEvent], batch: Batch) -> None:
    """Work off ``events`` and whatever follows from each, one after the other."""
    queue: deque[_Pending] = deque(events)
    while queue:
        queue.extendleft(reversed(_next(customer, queue.popleft(), batch)))


def _next(customer: CustomerState, pending: _Pending, batch: Batch) -> Sequence[_Pending]:
    try:
        return _followed(customer, pending, batch)
    except (EnrollmentFailed, StoreError):
        raise
    except Exception as error:
        raise _named(pending.work) from error


@contextmanager
def of_enrollment(work: EnrollmentWork) -> Iterator[None]:
    """What fails in here fails for this enrollment."""
    try:
        yield
    except (EnrollmentFailed, StoreError):
        raise
    except Exception as error:
        raise _named(work) from error


def _named(work: EnrollmentWork) -> EnrollmentFailed:
    enrollment = work.enrollment
    where = f"{enrollment.playbook} v{work.published.version}, step {enrollment.state.step or 'entry'}"
    stored = (
        enrollment.enrollment_id if not work.new else 0
    )  # one that is about to begin has no row to set aside
    return EnrollmentFailed(stored, enrollment.playbook_id, where)


def _followed(customer: CustomerState, pending: _Pending, batch: Batch) -> Sequence[_Pending]:
    match pending:
        case PendingEvent():
            return _decided(customer, pending.work, pending.event)
        case _PendingCommand():
            return apply_command(customer, pending.work, pending.command, batch)
        case _PendingEnd():
            enrollment_ended(customer, pending.work, batch)
            return ()
        case _:
            assert_never(pending)


def _decided(customer: CustomerState, work: EnrollmentWork, event: EnrollmentEvent) -> Sequence[_Pending]:
    """What the machine wants done about ``event``; the enrollment is moved already."""
    before = work.enrollment
    decision = decide(work.published.compiled, before, event, customer.facts, work.published.computed)
    if decision.enrollment is before and not decision.entries:
        return ()
    work.enrollment = decision.enrollment
    work.entries.extend(decision.entries)
    work.changed = True
    customer.changes += 1
    wanted: list[_Pending] = [_PendingCommand(work=work, command=command) for command in decision.commands]
    if before.state.live and not decision.enrollment.state.live:
        wanted.append(_PendingEnd(work=work))
    return wanted
