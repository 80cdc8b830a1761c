"""Writes what else became of the customers: profiles, cooldowns, holds, conversions, refusals, the inbox."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from orchestrator.core.customer_state import CustomerState
from orchestrator.records.enrollment import RefusalRow
from orchestrator.records.inbox import Lane
from orchestrator.store.sql import tables as t
from orchestrator.store.sql.bulk import delete_rows, insert_rows, update_rows
from orchestrator.store.sql.records import columns, insert_records

_NOT_ENTERED = text("""
INSERT INTO not_entered AS n (customer_id, playbook, trigger, reason, first_at, last_at, count)
SELECT u.customer_id, u.playbook, u.trigger, u.reason, :now, :now, u.count
  FROM unnest(CAST(:customers AS bigint[]), CAST(:playbooks AS text[]), CAST(:triggers AS text[]),
              CAST(:reasons AS text[]), CAST(:counts AS int[])) AS u(customer_id, playbook, trigger, reason, count)
    ON CONFLICT (customer_id, playbook, trigger, reason)
    DO UPDATE SET last_at = EXCLUDED.last_at, count = n.count + EXCLUDED.count
""")
_REFUSALS = text("""
WITH given AS (
    SELECT * FROM unnest(CAST(:customers AS bigint[]), CAST(:playbooks AS text[]), CAST(:triggers AS text[]),
                         CAST(:reasons AS text[]), CAST(:details AS jsonb[]), CAST(:firsts AS timestamptz[]),
                         CAST(:lasts AS timestamptz[]), CAST(:counts AS int[]))
           AS u(customer_id, playbook, trigger, reason, detail, first_at, last_at, count)
), counted AS (
    UPDATE refusals r SET count = r.count + g.count, last_at = g.last_at, detail = g.detail
      FROM given g
     WHERE r.customer_id = g.customer_id AND r.id = (
           SELECT max(s.id) FROM refusals s WHERE s.customer_id = g.customer_id AND s.playbook = g.playbook
              AND s.trigger = g.trigger AND s.reason = g.reason)
    RETURNING r.customer_id, r.playbook, r.trigger, r.reason
)
INSERT INTO refusals (customer_id, playbook, trigger, reason, detail, at, last_at, count)
SELECT customer_id, playbook, trigger, reason, detail, first_at, last_at, count FROM given g
 WHERE NOT EXISTS (SELECT FROM counted c WHERE c.customer_id = g.customer_id AND c.playbook = g.playbook
                      AND c.trigger = g.trigger AND c.reason = g.reason)
 ORDER BY first_at
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
_LAST_TOUCH = text("""
UPDATE conversions v SET message_id = (
       SELECT m.id FROM messages m
        WHERE m.customer_id = v.customer_id AND m.enrollment_id = v.enrollment_id AND m.kind <> 'call'
          AND m.status IN ('sent', 'held_out') AND m.sent_at <= v.at ORDER BY m.visit DESC LIMIT 1)
  FROM unnest(CAST(:customers AS bigint[]), CAST(:enrollments AS bigint[])) AS u(customer_id, enrollment_id)
 WHERE v.customer_id = u.customer_id AND v.enrollment_id = u.enrollment_id AND v.message_id IS NULL
""")
_FIND_BY = text("""
UPDATE inbox SET lane = lane - :behind
 WHERE lane >= :behind AND ctid = ANY(ARRAY(
       SELECT first.at FROM unnest(CAST(:customers AS bigint[])) AS u(customer_id)
        CROSS JOIN LATERAL (
              SELECT ctid AS at FROM inbox
               WHERE (customer_id, id) >= (u.customer_id, CAST(-1 AS bigint))
                 AND (customer_id, id) <= (u.customer_id, CAST(9223372036854775807 AS bigint))
               ORDER BY customer_id, id LIMIT 1) AS first))
""")
_INVALID_POINTS = text("""
UPDATE contact_points p SET invalid_reason = u.reason
  FROM unnest(CAST(:customers AS bigint[]), CAST(:channels AS text[]), CAST(:addresses AS text[]),
              CAST(:reasons AS text[])) AS u(customer_id, channel, address, reason)
 WHERE p.customer_id = u.customer_id AND p.channel = u.channel AND p.address = u.address
""")


def save_cooldowns_and_holds(
    connection: Connection, customers: Sequence[CustomerState], now: datetime
) -> None:
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


def save_facts(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
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
        (customer.customer_id, channel, address, reason)
        for customer in customers
        for channel, (address, reason) in customer.points_invalid.items()
    ]
    if invalid:
        connection.execute(
            _INVALID_POINTS,
            {
                "customers": [row[0] for row in invalid],
                "channels": [row[1] for row in invalid],
                "addresses": [row[2] for row in invalid],
                "reasons": [row[3] for row in invalid],
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
    _save_refusals(connection, customers)
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


def _save_refusals(connection: Connection, customers: Sequence[CustomerState]) -> None:
    """One row for all that are equal: the lock on the customer is what makes it one."""
    equal: dict[tuple[int, str, str, str], list[RefusalRow]] = defaultdict(list)
    for customer in customers:
        for row in customer.refusals:
            equal[row.customer_id, row.playbook, row.trigger, row.reason].append(row)
    if not equal:
        return
    rows = [
        (*key, json.dumps(dict(same[-1].detail)), same[0].at, same[-1].at, len(same))
        for key, same in equal.items()
    ]
    names = ("customers", "playbooks", "triggers", "reasons", "details", "firsts", "lasts", "counts")
    connection.execute(_REFUSALS, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def save_inbox(connection: Connection, customers: Sequence[CustomerState], now: datetime) -> None:
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
    _let_rest_be_found(connection, customers)
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


def _let_rest_be_found(connection: Connection, customers: Sequence[CustomerState]) -> None:
    """What stood behind rows that are applied now is found by the first of it."""
    left = [
        customer.customer_id
        for customer in customers
        if customer.applied_inbox and (customer.inbox or customer.inbox_waits)
    ]
    if left:
        connection.execute(_FIND_BY, {"customers": left, "behind": Lane.BEHIND})
