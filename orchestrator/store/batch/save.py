"""Writes a batch of changed customers: each table once, whatever the size of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.machine.enrollment import state_to_json
from orchestrator.store.sql import tables as t
from orchestrator.store.sql.bulk import delete_rows, insert_rows, update_rows
from orchestrator.store.sql.pipeline import together
from orchestrator.store.sql.records import columns, insert_records

_NEW_IDS = text("""
SELECT ARRAY(SELECT nextval('enrollment_ids') FROM generate_series(1, :runs)) AS runs,
       ARRAY(SELECT nextval('message_ids') FROM generate_series(1, :messages)) AS messages,
       ARRAY(SELECT nextval('inbox_ids') FROM generate_series(1, :requests)) AS requests
""")
_REPEATED_VERDICTS = text("""
UPDATE verdicts v SET count = v.count + u.n, last_at = :now, until = u.until
  FROM unnest(CAST(:customers AS bigint[]), CAST(:messages AS bigint[]), CAST(:seqs AS int[]), CAST(:counts AS int[]),
              CAST(:untils AS timestamptz[])) AS u(customer_id, message_id, seq, n, until)
 WHERE v.customer_id = u.customer_id AND v.message_id = u.message_id AND v.seq = u.seq
""")
_NOT_ENTERED = text("""
INSERT INTO not_entered AS n (customer_id, playbook, trigger, reason, first_at, last_at, count)
SELECT u.customer_id, u.playbook, u.trigger, u.reason, :now, :now, u.count
  FROM unnest(CAST(:customers AS bigint[]), CAST(:playbooks AS text[]), CAST(:triggers AS text[]),
              CAST(:reasons AS text[]), CAST(:counts AS int[])) AS u(customer_id, playbook, trigger, reason, count)
    ON CONFLICT (customer_id, playbook, trigger, reason)
    DO UPDATE SET last_at = EXCLUDED.last_at, count = n.count + EXCLUDED.count
""")
_LIFT = text("""
UPDATE cooldowns c SET lifted_at = :now
  FROM unnest(CAST(:customers AS bigint[]), CAST(:enrollments AS bigint[]), CAST(:visits AS int[]))
       AS u(customer_id, enrollment_id, visit)
 WHERE c.customer_id = u.customer_id AND c.enrollment_id = u.enrollment_id AND c.visit = u.visit
   AND c.lifted_at IS NULL
""")
_CLOSE_HOLDS = text("""
UPDATE holds h SET closed_at = :now
  FROM unnest(CAST(:customers AS bigint[]), CAST(:names AS text[])) AS u(customer_id, name)
 WHERE h.customer_id = u.customer_id AND h.name = u.name AND h.closed_at IS NULL
""")
_HIDE = text("""
UPDATE feed_items f SET withdrawn_at = CASE WHEN u.keep_until IS NULL THEN CAST(:now AS timestamptz) END,
                        expires_at = coalesce(u.keep_until, f.expires_at)
  FROM unnest(CAST(:customers AS bigint[]), CAST(:messages AS bigint[]), CAST(:keeps AS timestamptz[]))
       AS u(customer_id, message_id, keep_until)
 WHERE f.customer_id = u.customer_id AND f.message_id = u.message_id AND f.seen_at IS NULL
   AND f.withdrawn_at IS NULL
""")
_LAST_TOUCH = text("""
UPDATE conversions v SET message_id = (
       SELECT m.id FROM messages m
        WHERE m.customer_id = v.customer_id AND m.enrollment_id = v.enrollment_id AND m.kind <> 'call'
          AND m.status IN ('sent', 'held_out') AND m.sent_at <= v.at ORDER BY m.visit DESC LIMIT 1)
  FROM unnest(CAST(:customers AS bigint[]), CAST(:enrollments AS bigint[])) AS u(customer_id, enrollment_id)
 WHERE v.customer_id = u.customer_id AND v.enrollment_id = u.enrollment_id AND v.message_id IS NULL
""")
_INVALID_POINTS = text("""
UPDATE contact_points p SET invalid_reason = u.reason
  FROM unnest(CAST(:customers AS bigint[]), CAST(:channels AS text[]), CAST(:reasons AS text[]))
       AS u(customer_id, channel, reason)
 WHERE p.customer_id = u.customer_id AND p.channel = u.channel
""")


def save(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    """Store everything that changed, in the transaction that holds the customers' locks."""
    _number(connection, customers)
    with together(connection):
        _write(connection, customers, now)


def _write(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    _runs(connection, customers, now)
    _messages(connection, customers)
    _verdicts(connection, customers, now)
    _places(connection, customers)
    _rests_and_holds(connection, customers, now)
    _facts(connection, customers, now)
    _outside(connection, customers, now)


def _number(connection: Connection, customers: Sequence[CustomerState]) -> None:
    """Give new runs, messages and inbox rows the ids they are stored under."""
    enrollments = [
        (customer, work) for customer in customers for work in customer.enrollments.values() if work.new
    ]
    messages = [
        message for customer in customers for message in customer.messages.values() if message.id == 0
    ]
    requests = sum(len(customer.requests) for customer in customers)
    if not (enrollments or messages or requests):
        return
    ids = connection.execute(
        _NEW_IDS, {"runs": len(enrollments), "messages": len(messages), "requests": requests}
    ).one()
    for message, message_id in zip(messages, ids.messages, strict=True):
        message.id = message_id
    inbox_ids = iter(ids.requests)
    for customer in customers:
        customer.requests = [replace(request, id=next(inbox_ids)) for request in customer.requests]
    for (customer, work), enrollment_id in zip(enrollments, ids.runs, strict=True):
        temporary = work.enrollment.enrollment_id
        work.enrollment = replace(work.enrollment, enrollment_id=enrollment_id)
        customer.enrollments[enrollment_id] = customer.enrollments.pop(temporary)
        for message in customer.messages.values():
            if message.enrollment_id == temporary:
                message.enrollment_id = enrollment_id
        customer.new_cooldowns = [
            replace(row, enrollment_id=enrollment_id) if row.enrollment_id == temporary else row
            for row in customer.new_cooldowns
        ]
        customer.conversions = [
            replace(row, enrollment_id=enrollment_id) if row.enrollment_id == temporary else row
            for row in customer.conversions
        ]


def _runs(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
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
    # Ended enrollments let go first: a customer may enter again in the batch of leaving.
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


def _messages(connection: Connection, customers: Sequence[CustomerState]) -> None:
    changed = [message for customer in customers for message in customer.messages.values() if message.changed]
    new = [message for message in changed if message.verdict_seq_stored is None]
    insert_rows(connection, t.messages, [{**_planned(message), **_progress(message)} for message in new])
    update_rows(
        connection,
        t.messages,
        [
            {"customer_id": message.customer_id, "id": message.id, **_progress(message)}
            for message in changed
            if message.verdict_seq_stored is not None
        ],
        key=("customer_id", "id"),
    )
    insert_rows(
        connection,
        t.dispatch,
        [
            {
                "customer_id": message.customer_id,
                "message_id": message.id,
                "provider": message.provider,
                "due_at": message.due_at,
                "free_at": message.free_at,
            }
            for message in changed
            if message.unsettled
        ],
        on_conflict="update",
    )
    delete_rows(
        connection,
        t.dispatch,
        [
            {"customer_id": message.customer_id, "message_id": message.id}
            for message in changed
            if message.dispatched and not message.unsettled
        ],
        key=("customer_id", "message_id"),
    )
    hidden = [
        (message, message.hide.keep_until)
        for message in changed
        if message.hide is not None and message.in_feed
    ]
    if hidden:
        connection.execute(
            _HIDE,
            {
                "now": max(customer.now for customer in customers),
                "customers": [message.customer_id for message, _ in hidden],
                "messages": [message.id for message, _ in hidden],
                "keeps": [keep for _, keep in hidden],
            },
        )
    insert_rows(
        connection,
        t.provider_ids,
        [
            {"provider_id": message.provider_id, "customer_id": message.customer_id, "message_id": message.id}
            for message in changed
            if message.provider_id is not None and message.provider not in ("sandbox", "feed")
        ],
        on_conflict="nothing",
    )


def _planned(message: MessageRow) -> dict[str, Any]:
    return {
        "customer_id": message.customer_id,
        "id": message.id,
        "enrollment_id": message.enrollment_id,
        "playbook_id": message.playbook_id,
        "playbook": message.playbook,
        "step": message.step,
        "visit": message.visit,
        "kind": message.kind,
        "topic": message.topic,
        "promotional": message.promotional,
        "priority": message.priority,
        "held_out": message.held_out,
        "planned_at": message.planned_at,
        "channels": list(message.channels),
    }


def _progress(message: MessageRow) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "provider": message.provider,
        "expires_at": message.expires_at,
        "status": message.status,
        "reason": message.reason,
        "attempt": message.attempt,
        "handed_at": message.handed_at,
        "sent_at": message.sent_at,
        "settled_at": message.settled_at,
        "provider_id": message.provider_id,
        "code": message.code,
        "give_up_at": message.give_up_at,
        "responses": dict(message.responses),
    }


def _verdicts(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    new: list[dict[str, Any]] = []
    repeated: dict[tuple[int, int, int], tuple[int, datetime | None]] = {}
    for customer in customers:
        seq: dict[int, int] = {}
        for one in customer.verdicts:
            message = one.message
            start = message.verdict_seq_stored or 0
            number = seq.get(message.id, start) + (0 if one.repeat else 1)
            seq[message.id] = number
            if one.repeat:
                key = (message.customer_id, message.id, number)
                repeated[key] = (repeated.get(key, (0, None))[0] + 1, one.said.until)
                continue
            new.append(
                {
                    "customer_id": message.customer_id,
                    "message_id": message.id,
                    "seq": number,
                    **columns(one.said),
                    "inputs": dict(one.inputs),
                    "first_at": now,
                    "last_at": now,
                }
            )
    insert_rows(connection, t.verdicts, new)
    if repeated:
        connection.execute(
            _REPEATED_VERDICTS,
            {
                "now": now,
                "customers": [key[0] for key in repeated],
                "messages": [key[1] for key in repeated],
                "seqs": [key[2] for key in repeated],
                "counts": [count for count, _ in repeated.values()],
                "untils": [until for _, until in repeated.values()],
            },
        )


def _places(connection: Connection, customers: Sequence[CustomerState]) -> None:
    delete_rows(
        connection,
        t.cap_slots,
        [
            {"customer_id": message.customer_id, "message_id": message.id}
            for customer in customers
            for message in customer.freed_slots
        ],
        key=("customer_id", "message_id"),
    )
    insert_rows(
        connection,
        t.cap_slots,
        [
            {
                "customer_id": place.message.customer_id,
                "message_id": place.message.id,
                "handed_at": place.handed_at,
                "channel": place.message.channel,
                "topic": place.message.topic,
                "shadow": place.shadow,
            }
            for customer in customers
            for place in customer.reserved_slots
        ],
    )


def _rests_and_holds(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    lifted = [(customer.customer_id, lift) for customer in customers for lift in customer.lifted_cooldowns]
    if lifted:
        connection.execute(
            _LIFT,
            {
                "now": now,
                "customers": [customer_id for customer_id, _ in lifted],
                "enrollments": [lift.enrollment_id for _, lift in lifted],
                "visits": [lift.visit for _, lift in lifted],
            },
        )
    insert_records(connection, t.cooldowns, [row for customer in customers for row in customer.new_cooldowns])
    closed = [
        (customer.customer_id, name)
        for customer in customers
        for name in customer.closed_holds
        if name in customer.hold_ids
    ]
    if closed:
        connection.execute(
            _CLOSE_HOLDS,
            {"now": now, "customers": [row[0] for row in closed], "names": [row[1] for row in closed]},
        )
    insert_rows(
        connection,
        t.holds,
        [
            columns(row)
            | {"closed_at": None if any(hold.name == row.name for hold in customer.holds) else now}
            for customer in customers
            for row in customer.new_holds
        ],
    )


def _facts(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    update_rows(
        connection,
        t.customers,
        [
            {
                "id": customer.customer_id,
                "account_id": customer.account_id,
                "attributes": customer.facts.attributes,
                "tags": list(customer.facts.tags),
                "timezone": customer.timezone,
                "timezone_source": customer.timezone_source,
                "locale": customer.locale,
                "region": customer.region,
                "last_seen_at": customer.last_seen_at,
                "updated_at": now,
            }
            for customer in customers
            if customer.profile_changed
        ],
        key=("id",),
    )
    points = [
        (customer, channel, address)
        for customer in customers
        for channel, address in customer.points_changed.items()
    ]
    insert_rows(
        connection,
        t.contact_points,
        [
            {
                "customer_id": customer.customer_id,
                "channel": channel,
                "address": address,
                "source": "identify",
                "invalid_reason": None,
                "created_at": now,
            }
            for customer, channel, address in points
            if address is not None
        ],
        on_conflict="update",
    )
    delete_rows(
        connection,
        t.contact_points,
        [
            {"customer_id": customer.customer_id, "channel": channel}
            for customer, channel, address in points
            if address is None
        ],
        key=("customer_id", "channel"),
    )
    invalid = [
        (customer.customer_id, *point) for customer in customers for point in customer.points_invalid.items()
    ]
    if invalid:
        connection.execute(
            _INVALID_POINTS,
            {
                "customers": [row[0] for row in invalid],
                "channels": [row[1] for row in invalid],
                "reasons": [row[2] for row in invalid],
            },
        )
    insert_records(
        connection,
        t.signals,
        [row for customer in customers for row in customer.new_signals],
        on_conflict="nothing",
    )
    conversions = [row for customer in customers for row in customer.conversions]
    insert_records(connection, t.conversions, conversions, on_conflict="nothing")
    if conversions:
        connection.execute(
            _LAST_TOUCH,
            {
                "customers": [row.customer_id for row in conversions],
                "enrollments": [row.enrollment_id for row in conversions],
            },
        )
    insert_records(connection, t.refusals, [row for customer in customers for row in customer.refusals])
    passed = [
        (customer.customer_id, *key, times)
        for customer in customers
        for key, times in customer.not_entered.items()
    ]
    if passed:
        names = ("customers", "playbooks", "triggers", "reasons", "counts")
        connection.execute(
            _NOT_ENTERED, {"now": now, **dict(zip(names, map(list, zip(*passed, strict=True)), strict=True))}
        )


def _outside(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
    delete_rows(
        connection,
        t.inbox,
        [
            {"customer_id": customer.customer_id, "id": inbox_id}
            for customer in customers
            for inbox_id in customer.applied_inbox
        ],
        key=("customer_id", "id"),
    )
    insert_records(
        connection,
        t.receipts,
        [row for customer in customers for row in customer.receipts],
        on_conflict="nothing",
    )
    insert_rows(
        connection,
        t.inbox,
        [
            columns(request) | {"occurred_at": now, "received_at": now}
            for customer in customers
            for request in customer.requests
        ],
    )
