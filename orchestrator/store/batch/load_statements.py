"""The statements that read a batch.

Each goes from the customers of the batch to their rows, whatever PostgreSQL believes about the tables: a LATERAL behind
``OFFSET 0`` is not merged into the query around it, so that nothing is left to choose but the index of its key.
"""

# ruff: noqa: S608 - only constants of this file enter the texts

from __future__ import annotations

from sqlalchemy import TextClause, text


def _of_each(columns: str, table: str, more: str = "") -> TextClause:
    """The rows of one table of every customer of a batch."""
    return text(
        f"SELECT r.* FROM unnest(CAST(:ids AS bigint[])) AS wanted(id) CROSS JOIN LATERAL ("
        f"SELECT {columns} FROM {table} WHERE customer_id = wanted.id {more} OFFSET 0) AS r"
    )


CUSTOMERS = text("""
SELECT c.*, a.key AS account_key, a.attributes AS account_attributes
  FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (
       SELECT id, key, account_id, attributes, tags, timezone, timezone_source, locale, region, last_seen_at, erased_at
         FROM customers WHERE id = wanted.id OFFSET 0) AS c
  LEFT JOIN LATERAL (SELECT key, attributes FROM accounts WHERE id = c.account_id OFFSET 0) AS a ON true
""")
POINTS = _of_each("customer_id, channel, address, invalid_reason", "contact_points")
# (customer_id, id) is compared as a row: the order by id alone another index has as well, over everybody's rows.
INBOX = text("""
SELECT i.* FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (
       SELECT customer_id, id, kind, occurred_at, received_at, data FROM inbox
        WHERE (customer_id, id) >= (wanted.id, CAST(-1 AS bigint))
          AND (customer_id, id) <= (wanted.id, CAST(9223372036854775807 AS bigint))
        ORDER BY customer_id, id LIMIT :each) AS i
 LIMIT :rows
""")
TIMERS = _of_each("customer_id, enrollment_id, visit, due_at", "timers")
CONSENTS = _of_each(
    "customer_id, channel, topic, granted, basis, since, expires_at, withdrawn_since", "consents"
)
COOLDOWNS = _of_each(
    "customer_id, id, scope, scope_value, reason, enrollment_id, visit, shadow, ends_at",
    "cooldowns",
    "AND ends_at > :now AND lifted_at IS NULL ORDER BY id",
)
HOLDS = _of_each(
    "customer_id, id, name, opened_at, ends_at",
    "holds",
    "AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > :now)",
)
CAP_SLOTS = _of_each(
    "customer_id, message_id, handed_at, channel, topic, shadow",
    "cap_slots",
    "AND handed_at > :since ORDER BY handed_at",
)

# What the inbox that was read names: (customer, message), and those of them that answer a question.
_NAMED = "unnest(CAST(:named_customers AS bigint[]), CAST(:named AS bigint[])) AS n(customer_id, id)"
_ANSWERED = "unnest(CAST(:answered_customers AS bigint[]), CAST(:answered AS bigint[])) AS n(customer_id, id)"

ENROLLMENTS = text(f"""
WITH answered AS MATERIALIZED (
    SELECT m.customer_id, m.enrollment_id FROM {_ANSWERED}
     CROSS JOIN LATERAL (
           SELECT customer_id, enrollment_id FROM messages
            WHERE customer_id = n.customer_id AND id = n.id OFFSET 0) AS m
)
SELECT e.customer_id, e.id, e.playbook_id, e.playbook, e.reentry_key, e.start_key, e.entered_at, e.held_out, e.because,
       e.trigger, e.rev, e.ended_at, e.end_status, CAST(e.state->'any_sent' AS boolean) AS any_sent,
       whole.context, whole.state, whole.seq, e.missed, e.ended_at IS NULL AND (
       SELECT 1 FROM parked p WHERE p.customer_id = e.customer_id AND p.enrollment_id = e.id) IS NOT NULL AS parked
  FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (SELECT * FROM enrollments WHERE customer_id = wanted.id ORDER BY id OFFSET 0) AS e
  LEFT JOIN LATERAL (
       SELECT e.context, e.state,
              (SELECT j.seq FROM journal j WHERE j.customer_id = e.customer_id AND j.enrollment_id = e.id
                ORDER BY j.seq DESC LIMIT 1) AS seq
        WHERE e.ended_at IS NULL
           OR (e.state->>'converted_at' IS NULL AND e.customer_id = ANY(:heard))
           OR (e.customer_id, e.id) IN (SELECT customer_id, enrollment_id FROM answered)
       ) AS whole ON true
""")

MESSAGES = text(f"""
WITH wanted AS MATERIALIZED (
    SELECT found.customer_id, found.id FROM unnest(CAST(:ids AS bigint[])) AS w(id)
     CROSS JOIN LATERAL (
           (SELECT customer_id, message_id AS id FROM dispatch WHERE customer_id = w.id OFFSET 0)
           UNION ALL
           (SELECT t.customer_id, m.id FROM (SELECT * FROM timers WHERE customer_id = w.id OFFSET 0) AS t
             CROSS JOIN LATERAL (
                   SELECT id FROM messages
                    WHERE customer_id = t.customer_id AND enrollment_id = t.enrollment_id AND visit = t.visit
                   OFFSET 0) AS m)
           UNION ALL
           (SELECT customer_id, message_id FROM feed_items
             WHERE customer_id = w.id AND seen_at IS NULL AND withdrawn_at IS NULL
               AND (expires_at IS NULL OR expires_at > :now) OFFSET 0)
           ) AS found
    UNION
    SELECT n.customer_id, n.id FROM {_NAMED}
)
SELECT m.*, d.provider AS dispatch_provider, d.due_at AS dispatch_due_at, d.free_at AS dispatch_free_at,
       f.message_id IS NOT NULL AS in_feed, f.seen_at AS feed_seen_at, lv.seq AS verdict_seq,
       lv.policy AS last_policy, lv.verdict AS last_verdict, lv.until AS last_until, lv.why AS last_why,
       lv.asked AS last_asked, lv.channel AS last_channel
  FROM wanted
 CROSS JOIN LATERAL (SELECT * FROM messages WHERE customer_id = wanted.customer_id AND id = wanted.id OFFSET 0) AS m
  LEFT JOIN LATERAL (
       SELECT provider, due_at, free_at FROM dispatch
        WHERE customer_id = wanted.customer_id AND message_id = wanted.id OFFSET 0) AS d ON true
  LEFT JOIN LATERAL (
       SELECT message_id, seen_at FROM feed_items
        WHERE customer_id = wanted.customer_id AND message_id = wanted.id OFFSET 0) AS f ON true
  LEFT JOIN LATERAL (
       SELECT seq, policy, verdict, until, why, asked, channel FROM verdicts
        WHERE customer_id = wanted.customer_id AND message_id = wanted.id ORDER BY seq DESC LIMIT 1) AS lv ON true
 ORDER BY m.customer_id, m.id
""")

HISTORY = text("""
SELECT s.* FROM unnest(CAST(:ids AS bigint[])) AS customer(id)
 CROSS JOIN unnest(CAST(:names AS text[]), CAST(:since AS timestamptz[])) AS wanted(name, since)
 CROSS JOIN LATERAL (
       SELECT customer_id, name, occurred_at, properties FROM signals
        WHERE customer_id = customer.id AND name = wanted.name AND occurred_at > wanted.since
        ORDER BY occurred_at, id OFFSET 0) AS s
""")
MEMBERS = text("""
SELECT m.* FROM unnest(CAST(:accounts AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (
       SELECT account_id, id, key, attributes->>'role' AS role FROM customers
        WHERE account_id = wanted.id AND erased_at IS NULL ORDER BY id OFFSET 0) AS m
""")
# Whose inbox says that they belong to one of the accounts: told in the same flush as what is decided now, perhaps.
JOINING = text("""
SELECT wanted.id AS account_id, c.id, c.key,
       CASE WHEN i.traits ? 'role' THEN i.traits->>'role' ELSE c.attributes->>'role' END AS role
  FROM unnest(CAST(:accounts AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (
       SELECT customer_id, id, data->'traits' AS traits FROM inbox
        WHERE data ? 'account_id' AND data->>'account_id' = CAST(wanted.id AS text) OFFSET 0) AS i
 CROSS JOIN LATERAL (
       SELECT id, key, attributes FROM customers WHERE id = i.customer_id AND erased_at IS NULL OFFSET 0) AS c
 ORDER BY i.id
""")
ACCOUNTS = text("SELECT id, key, attributes FROM accounts WHERE id = ANY(:accounts)")
ANSWER_RATES = text("""
SELECT m.customer_id, m.channel, avg((m.responses ?| ARRAY['clicked', 'answered', 'replied'])::int)::float8 AS rate
  FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (
       SELECT customer_id, channel, responses FROM messages
        WHERE customer_id = wanted.id AND sent_at > :since AND kind IN ('send', 'ask') OFFSET 0) AS m
 GROUP BY m.customer_id, m.channel
""")
DOUBTFUL = text("SELECT customer_id, enrollment_id, steps FROM doubtful_steps WHERE customer_id = ANY(:ids)")
