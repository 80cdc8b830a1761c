"""Writes the enrollments that moved, their timers and their journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.machine.enrollment import state_to_json
from orchestrator.store.sql import tables as t
from orchestrator.store.sql.bulk import delete_rows, insert_rows, update_rows


def save_enrollments(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    changed = [
        work for customer in customers for work in customer.enrollments.values() if work.changed or work.new
    ]
    insert_rows(
        connection,
        t.enrollments,
        [{**_identity(work), **_moving(work, now)} for work in changed if work.new],
    )
    update_rows(
        connection,
        t.enrollments,
        [{**_key(work), **_moving(work, now)} for work in changed if not work.new],
        key=("customer_id", "id"),
    )
    # Ended enrollments let go first: a customer may enter again in the batch in which they left.
    delete_rows(
        connection,
        t.timers,
        [
            {"customer_id": work.enrollment.customer_id, "enrollment_id": work.enrollment.enrollment_id}
            for work in changed
            if not work.enrollment.state.live and not work.new
        ],
        key=("customer_id", "enrollment_id"),
    )
    live = [work for work in changed if work.enrollment.state.live]
    insert_rows(
        connection,
        t.timers,
        [
            {
                "customer_id": work.enrollment.customer_id,
                "enrollment_id": work.enrollment.enrollment_id,
                "playbook": work.enrollment.playbook,
                "reentry_key": work.enrollment.reentry_key,
                "visit": work.enrollment.state.visit,
                "due_at": work.enrollment.state.due_at or now,
            }
            for work in live
            if work.due_at != work.enrollment.state.due_at or work.timer_visit != work.enrollment.state.visit
        ],
        on_conflict="update",
        update_columns=("visit", "due_at"),
    )
    insert_rows(connection, t.journal, [line for work in changed for line in _lines(work, now)])


def _key(work: EnrollmentWork) -> dict[str, Any]:
    return {"customer_id": work.enrollment.customer_id, "id": work.enrollment.enrollment_id}


def _identity(work: EnrollmentWork) -> dict[str, Any]:
    enrollment = work.enrollment
    return {
        **_key(work),
        "playbook_id": enrollment.playbook_id,
        "playbook": enrollment.playbook,
        "reentry_key": enrollment.reentry_key,
        "start_key": work.start_key,
        "entered_at": enrollment.entered_at,
        "held_out": enrollment.held_out,
        "because": enrollment.because,
        "context": dict(enrollment.context),
        "trigger": enrollment.trigger,
    }


def _moving(work: EnrollmentWork, now: datetime) -> dict[str, Any]:
    state = work.enrollment.state
    work.rev += 1
    return {
        "step": state.step,
        "visit": state.visit,
        "state": state_to_json(state),
        "rev": work.rev,
        "step_entered_at": state.step_entered_at or now,
        "ended_at": state.ended_at,
        "end_status": state.end_status,
    }


def _lines(work: EnrollmentWork, now: datetime) -> Iterator[dict[str, Any]]:
    for entry in work.entries:
        work.seq += 1
        yield {
            "customer_id": work.enrollment.customer_id,
            "enrollment_id": work.enrollment.enrollment_id,
            "seq": work.seq,
            "at": now,
            "event": entry.event,
            "step": entry.step,
            "visit": entry.visit,
            "outcome": entry.outcome,
            "to_step": entry.to_step,
            "data": dict(entry.changes),
        }
    work.entries = []
