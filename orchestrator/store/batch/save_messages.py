"""Writes the messages that changed, the verdicts about them and the cap slots they take and give back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from channels.base import LOCAL_PROVIDERS
from orchestrator.core.customer_state import CustomerState, MessageRow
from orchestrator.store.sql import tables as t
from orchestrator.store.sql.bulk import delete_rows, insert_rows, update_rows
from orchestrator.store.sql.records import columns

_REPEATED_VERDICTS = text("""
UPDATE verdicts v SET count = v.count + u.n, last_at = :now, until = u.until
  FROM unnest(CAST(:customers AS bigint[]), CAST(:messages AS bigint[]), CAST(:seqs AS int[]), CAST(:counts AS int[]),
              CAST(:untils AS timestamptz[])) AS u(customer_id, message_id, seq, n, until)
 WHERE v.customer_id = u.customer_id AND v.message_id = u.message_id AND v.seq = u.seq
""")
_HIDE = text("""
UPDATE feed_items f SET withdrawn_at = CASE WHEN u.keep_until IS NULL THEN CAST(:now AS timestamptz) END,
                        expires_at = coalesce(u.keep_until, f.expires_at)
  FROM unnest(CAST(:customers AS bigint[]), CAST(:messages AS bigint[]), CAST(:keeps AS timestamptz[]))
       AS u(customer_id, message_id, keep_until)
 WHERE f.customer_id = u.customer_id AND f.message_id = u.message_id AND f.seen_at IS NULL
   AND f.withdrawn_at IS NULL
""")


def save_messages(
    connection: Connection, customers: Sequence[CustomerState], hash_key: Callable[[str], str]
) -> None:
    changed = [message for customer in customers for message in customer.messages.values() if message.changed]
    for message in changed:
        if message.address is not None:
            message.address_hash = hash_key(message.address)
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
                "handed": message.status != "planned",
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
            if message.provider_id is not None and message.provider not in LOCAL_PROVIDERS
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
        "mark": message.mark,
        "handed_at": message.handed_at,
        "sent_at": message.sent_at,
        "settled_at": message.settled_at,
        "provider_id": message.provider_id,
        "address_hash": message.address_hash,
        "code": message.code,
        "give_up_at": message.give_up_at,
        "responses": dict(message.responses),
    }


def save_verdicts(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
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


def save_cap_slots(connection: Connection, customers: Sequence[CustomerState]) -> None:
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
