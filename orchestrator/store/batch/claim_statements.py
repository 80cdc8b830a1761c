"""The statements by which customers are found and locked.

They go the way of the indexes whatever PostgreSQL believes about the tables, which in a fresh database or after a burst
is wrong: each queue is a LATERAL with its own ORDER BY and LIMIT, ``parked`` is asked behind OFFSET 0 because that
cannot become a join, and the lock is a LATERAL in which nothing else can be chosen than the primary key.
"""

# ruff: noqa: S608 - only constants of this file enter the texts

from __future__ import annotations

from sqlalchemy import text

from orchestrator.records.inbox import Lane

BACKGROUND_EACH = 16  # one background customer for so many of each other queue

_NOBODY_PARKED = "(SELECT NOT EXISTS (SELECT FROM parked))"  # asked once a statement
_NOT_PARKED = (
    f"({_NOBODY_PARKED} OR NOT EXISTS (SELECT FROM parked p"
    " WHERE p.customer_id = {0}.customer_id AND p.enrollment_id = 0 OFFSET 0))"
)
# Versions that this process cannot read are left to others; nearly always there are none.
_READABLE = """
(cardinality(CAST(:unreadable AS bigint[])) = 0
 OR (SELECT v.playbook_id FROM {0} v WHERE v.customer_id = {1}.customer_id AND v.id = {1}.{2})
    <> ALL (CAST(:unreadable AS bigint[])))
"""
_RUNS_ON = (
    f"({_NOBODY_PARKED} OR NOT EXISTS (SELECT FROM parked p"
    " WHERE p.customer_id = t.customer_id AND p.enrollment_id IN (0, t.enrollment_id) OFFSET 0))"
    f" AND {_READABLE.format('enrollments', 't', 'enrollment_id')}"
)
_TO_SEND = f"(d.handed OR {_READABLE.format('messages', 'd', 'message_id')})"
# (lane, id) is compared as a row, because the lane's own index alone gives that order.
_LANE = f"""
SELECT i.customer_id, i.id, i.received_at FROM inbox i
 WHERE (i.lane, i.id) >= ({{lane}}, CAST(-1 AS bigint))
   AND (i.lane, i.id) <= ({{lane}}, CAST(9223372036854775807 AS bigint)) AND {_NOT_PARKED.format("i")}
"""
_OLDEST = _LANE + " ORDER BY i.lane, i.id LIMIT {most}"
_NEWEST = _LANE + " ORDER BY i.lane DESC, i.id DESC LIMIT {most}"
_TIMERS = f"""
SELECT t.customer_id FROM timers t WHERE t.due_at <= {{until}} AND {_RUNS_ON} ORDER BY t.due_at LIMIT {{most}}
"""
# Business and machine time are the same instant but where a clock is virtual: the index leads, the two columns decide.
_READY = f"""
SELECT d.customer_id FROM dispatch d
 WHERE d.provider = {{provider}} AND d.handed = {{handed}} AND greatest(d.due_at, d.free_at) <= greatest(:now, :machine)
   AND d.due_at <= :now AND d.free_at <= :machine AND {_NOT_PARKED.format("d")} AND {_TO_SEND}
 ORDER BY greatest(d.due_at, d.free_at) LIMIT {{most}}
"""
_PROVIDERS = """
providers(name) AS (
    (SELECT provider FROM dispatch ORDER BY provider LIMIT 1)
    UNION ALL
    SELECT (SELECT d.provider FROM dispatch d WHERE d.provider > providers.name ORDER BY d.provider LIMIT 1)
      FROM providers WHERE providers.name IS NOT NULL
)
"""
_IF_MORE_WAIT = (
    "CASE WHEN EXISTS (SELECT FROM oldest WHERE lane = lanes.lane AND n >= :window) THEN :newest ELSE 0 END"
)
_NUMBERED = "SELECT customer_id, row_number() OVER () AS n FROM ({0}) AS one"

# Queues: the lanes by their numbers, then these, then the providers.
_NEWEST_OF = 3  # added to a lane
_TIMER = 6
_SETTLE = 7
_TO_PROVIDER = 10  # added to the provider's place

DUE = text(f"""
WITH RECURSIVE {_PROVIDERS},
oldest AS MATERIALIZED (
    SELECT lanes.lane, one.customer_id, one.n FROM unnest(CAST(:lanes AS smallint[])) AS lanes(lane)
     CROSS JOIN LATERAL ({_NUMBERED.format(_OLDEST.format(lane="lanes.lane", most=":window"))}) AS one
),
found(queue, customer_id, n) AS MATERIALIZED (
    SELECT lane, customer_id, n FROM oldest
    UNION ALL
    SELECT lanes.lane + {_NEWEST_OF}, one.customer_id, one.n
      FROM unnest(CAST(:lanes AS smallint[])) AS lanes(lane)
     CROSS JOIN LATERAL ({_NUMBERED.format(_NEWEST.format(lane="lanes.lane", most=_IF_MORE_WAIT))}) AS one
     WHERE lanes.lane < {int(Lane.BACKGROUND)}
    UNION ALL
    SELECT {_TIMER}, one.customer_id, one.n
      FROM ({_NUMBERED.format(_TIMERS.format(until=":now", most=":timers"))}) AS one
    UNION ALL
    SELECT {_SETTLE}, one.customer_id, one.n FROM providers
     CROSS JOIN LATERAL (
           {_NUMBERED.format(_READY.format(provider="providers.name", handed="true", most=":settle"))}) AS one
    UNION ALL
    SELECT {_TO_PROVIDER} + open.place, one.customer_id, one.n
      FROM unnest(CAST(:open AS text[]), CAST(:capacity AS int[])) WITH ORDINALITY AS open(provider, capacity, place)
     CROSS JOIN LATERAL (
           {_NUMBERED.format(_READY.format(provider="open.provider", handed="false", most="open.capacity"))}) AS one
),
in_turn AS MATERIALIZED (
    SELECT customer_id FROM found GROUP BY customer_id
     ORDER BY min(CASE queue WHEN {int(Lane.BACKGROUND)} THEN 1 + (n - 1) * {BACKGROUND_EACH} ELSE n END), min(queue),
              customer_id
),
locked AS MATERIALIZED (
    SELECT c.id FROM in_turn
     CROSS JOIN LATERAL (SELECT id FROM customers WHERE id = in_turn.customer_id FOR NO KEY UPDATE SKIP LOCKED) AS c
     LIMIT :limit
)
SELECT ARRAY(SELECT id FROM locked) AS ids,
       EXISTS (SELECT FROM found
                WHERE (queue <= {int(Lane.BACKGROUND)} OR queue = {_TIMER}) AND n >= :window) AS cut,
       EXISTS (SELECT FROM found
                 JOIN unnest(CAST(:open AS text[]), CAST(:capacity AS int[]))
                      WITH ORDINALITY AS open(provider, capacity, place)
                   ON queue = {_TO_PROVIDER} + open.place AND n >= open.capacity) AND
       EXISTS (SELECT FROM found
                WHERE queue > {_TO_PROVIDER} AND customer_id NOT IN (SELECT id FROM locked)) AS passed_by
""")

COUNT_MESSAGES = text(f"""
SELECT asked.provider, (
       SELECT count(*) FROM ({_READY.format(provider="asked.provider", handed="false", most=":limit")}) AS due
       ) AS messages
  FROM unnest(CAST(:providers AS text[])) AS asked(provider)
""")

LOCK = text("""
SELECT c.id FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (SELECT id FROM customers WHERE id = wanted.id FOR NO KEY UPDATE) AS c
""")

WAIT = text("SELECT set_config('lock_timeout', :milliseconds, true)")
WAIT_AS_EVER = text("SET LOCAL lock_timeout TO DEFAULT")
LOCK_FREE = text("""
SELECT c.id FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (SELECT id FROM customers WHERE id = wanted.id FOR NO KEY UPDATE SKIP LOCKED) AS c
""")

OVERDUE = text(f"""
WITH late AS MATERIALIZED (
    SELECT customer_id FROM ({_TIMERS.format(until=":before", most=":window")}) AS one
    UNION
    SELECT one.customer_id FROM unnest(CAST(:lanes AS smallint[])) AS lanes(lane)
     CROSS JOIN LATERAL ({_OLDEST.format(lane="lanes.lane", most=":window")}) AS one
     WHERE one.received_at <= :before
),
free AS MATERIALIZED (
    SELECT c.id FROM late
     CROSS JOIN LATERAL (SELECT id FROM customers WHERE id = late.customer_id FOR NO KEY UPDATE SKIP LOCKED) AS c
)
SELECT customer_id FROM late WHERE customer_id NOT IN (SELECT id FROM free) ORDER BY random() LIMIT :limit
""")

ALONE_BEHIND = text(f"""
SELECT DISTINCT one.customer_id FROM unnest(CAST(:lanes AS smallint[])) AS lanes(lane)
 CROSS JOIN LATERAL ({_OLDEST.format(lane="lanes.lane", most=":window")}) AS one
 WHERE one.received_at <= :before
   AND NOT EXISTS (
       SELECT FROM inbox h WHERE h.customer_id = one.customer_id AND h.lane < {int(Lane.BEHIND)} OFFSET 0)
""")

# Between two statements of a pipeline PostgreSQL holds a session for active, and no time-out of its own runs.
END_SILENT = text("""
SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
   AND application_name = current_setting('application_name')
   AND state = 'active' AND wait_event_type = 'Client' AND backend_xid IS NOT NULL
   AND query_start < clock_timestamp() - CAST(:silent AS interval)
""")

NEXT_DUE = text(f"""
WITH RECURSIVE {_PROVIDERS}
SELECT least(
    (SELECT t.due_at FROM timers t WHERE {_RUNS_ON} ORDER BY t.due_at LIMIT 1),
    (SELECT min(greatest(d.ready_at, shut.until))
       FROM providers CROSS JOIN (VALUES (false), (true)) AS marked(handed)
      CROSS JOIN LATERAL (
            SELECT greatest(d.due_at, d.free_at) AS ready_at FROM dispatch d
             WHERE d.provider = providers.name AND d.handed = marked.handed AND {_NOT_PARKED.format("d")}
               AND {_TO_SEND}
             ORDER BY greatest(d.due_at, d.free_at) LIMIT 1) AS d
       LEFT JOIN unnest(CAST(:providers AS text[]), CAST(:untils AS timestamptz[])) AS shut(provider, until)
         ON shut.provider = providers.name),
    (SELECT min(one.received_at) FROM unnest(CAST(:lanes AS smallint[])) AS lanes(lane)
      CROSS JOIN LATERAL ({_OLDEST.format(lane="lanes.lane", most="1")}) AS one)) AS due_at
""")
