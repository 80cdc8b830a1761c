"""The floor's SQL: claims, reads and changes of a whole batch, each one statement."""

from __future__ import annotations

NOW = "SELECT business_anchor + (clock_timestamp() - machine_anchor) * rate FROM clock"
IDS = "SELECT nextval(%s) FROM generate_series(1, %s)"

# --- whose turn it is -----------------------------------------------------------------------------------------------

WITH_INBOX = """
SELECT c.id FROM customers c WHERE c.id IN (SELECT i.customer_id FROM inbox i ORDER BY i.id LIMIT %(limit)s)
 ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED
"""
WITH_TIMER = """
SELECT c.id FROM customers c
 WHERE c.id IN (SELECT t.customer_id FROM timers t
                 WHERE t.due_at <= (SELECT business_anchor + (clock_timestamp() - machine_anchor) * rate FROM clock)
                 ORDER BY t.due_at LIMIT %(limit)s)
 ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED
"""
THESE = "SELECT id FROM customers WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"

# --- what decides, read once they are locked ------------------------------------------------------------------------

ARRIVALS = """
SELECT c.id, c.key, c.attributes, p.address, i.id, i.occurred_at, i.received_at, i.data->'properties'
  FROM customers c JOIN inbox i ON i.customer_id = c.id
  LEFT JOIN contact_points p ON p.customer_id = c.id AND p.channel = 'email' AND p.invalid_reason IS NULL
 WHERE c.id = ANY(%(ids)s) ORDER BY c.id, i.id
"""
WALKS = """
SELECT c.id, c.key, c.attributes, p.address, e.id, e.state, e.rev + 1,
       (SELECT max(j.seq) FROM journal j WHERE j.customer_id = e.customer_id AND j.enrollment_id = e.id)
  FROM timers t JOIN customers c ON c.id = t.customer_id
  JOIN enrollments e ON e.customer_id = t.customer_id AND e.id = t.enrollment_id
  LEFT JOIN contact_points p ON p.customer_id = c.id AND p.channel = 'email' AND p.invalid_reason IS NULL
 WHERE t.customer_id = ANY(%(ids)s) AND t.due_at <= %(now)s ORDER BY c.id
"""
REVISIONS = """
SELECT e.id, e.rev FROM enrollments e JOIN unnest(%b::bigint[], %b::bigint[]) u(customer_id, id)
    ON u.customer_id = e.customer_id AND u.id = e.id
"""
OPT_OUTS = """
SELECT customer_id FROM consents
 WHERE customer_id = ANY(%(ids)s) AND NOT granted AND channel IN ('email', '*') AND topic IN ('upsell', '*')
"""
RESTS = """
SELECT customer_id FROM cooldowns WHERE customer_id = ANY(%(ids)s) AND ends_at > %(now)s AND lifted_at IS NULL
"""
CAP_SLOTS = """
SELECT customer_id, handed_at FROM cap_slots
 WHERE customer_id = ANY(%(ids)s) AND handed_at > %(now)s - interval '30 days' AND NOT shadow
"""
NOT_AGAIN = """
SELECT customer_id FROM enrollments
 WHERE customer_id = ANY(%(ids)s) AND playbook = %(playbook)s
   AND (ended_at IS NULL OR ended_at > %(now)s - interval '30 days')
"""

# --- what changes ---------------------------------------------------------------------------------------------------

TAKE_FROM_INBOX = """
DELETE FROM inbox i USING unnest(%b::bigint[], %b::bigint[]) u(customer_id, id)
 WHERE i.customer_id = u.customer_id AND i.id = u.id
"""
SEEN = """
UPDATE customers c SET last_seen_at = u.at, updated_at = %s
  FROM unnest(%b::bigint[], %b::timestamptz[]) u(id, at) WHERE c.id = u.id
"""
MOVED = """
UPDATE enrollments e
   SET step = u.step, visit = u.visit, state = u.state::jsonb, rev = u.rev, step_entered_at = u.entered_at::timestamptz,
       ended_at = u.ended_at::timestamptz, end_status = u.end_status
  FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::int[], %b::text[], %b::int[], %b::text[],
              %b::text[], %b::text[])
       u(customer_id, id, step, visit, state, rev, entered_at, ended_at, end_status)
 WHERE e.customer_id = u.customer_id AND e.id = u.id
"""
TIMED = """
UPDATE timers t SET visit = u.visit, due_at = u.due_at::timestamptz
  FROM unnest(%b::bigint[], %b::bigint[], %b::int[], %b::text[]) u(customer_id, enrollment_id, visit, due_at)
 WHERE t.customer_id = u.customer_id AND t.enrollment_id = u.enrollment_id
"""
UNTIMED = """
DELETE FROM timers t USING unnest(%b::bigint[], %b::bigint[]) u(customer_id, enrollment_id)
 WHERE t.customer_id = u.customer_id AND t.enrollment_id = u.enrollment_id
"""
SENT = """
UPDATE messages m SET status = 'sent', sent_at = %s, settled_at = %s, provider_id = u.provider_id
  FROM unnest(%b::bigint[], %b::bigint[], %b::text[]) u(customer_id, id, provider_id)
 WHERE m.customer_id = u.customer_id AND m.id = u.id
"""
SETTLED = """
DELETE FROM dispatch d USING unnest(%b::bigint[], %b::bigint[]) u(customer_id, message_id)
 WHERE d.customer_id = u.customer_id AND d.message_id = u.message_id
"""

_COLUMNS = {
    "signals": "customer_id, name, occurred_at, id, received_at, properties",
    "enrollments": "customer_id, id, playbook_id, playbook, reentry_key, entered_at, held_out, because, context,"
    " trigger, step, visit, state, rev, step_entered_at, ended_at, end_status",
    "timers": "customer_id, enrollment_id, playbook, reentry_key, visit, due_at",
    "journal": "customer_id, enrollment_id, seq, at, event, step, visit, outcome, to_step, data",
    "messages": "customer_id, id, enrollment_id, playbook_id, playbook, step, visit, kind, channels, channel, provider,"
    " topic, promotional, priority, held_out, planned_at, give_up_at, status, reason, attempt, handed_at, responses",
    "verdicts": "customer_id, message_id, seq, asked, channel, policy, verdict, why, inputs, first_at, last_at, count",
    "dispatch": "customer_id, message_id, provider, due_at, free_at",
    "cap_slots": "customer_id, message_id, handed_at, channel, topic, shadow",
    "receipts": "customer_id, message_id, source_id, kind, occurred_at, received_at, data",
    "sandbox_inbox": "customer_id, message_id, channel, content, at",
    "cooldowns": "customer_id, enrollment_id, visit, scope, scope_value, reason, shadow, starts_at, ends_at",
}
COPY = {table: f"COPY {table} ({columns}) FROM STDIN" for table, columns in _COLUMNS.items()}
