"""Counts the work, at a price that does not grow with it.

Lags come from the first rows in due order. What must be counted whole is counted a stretch of blocks at a time: a
table that fits into one stretch is counted anew each time, a larger one in several rounds, and until a pass is over the
figures of the one before stand. Rows that move during a pass may be counted twice or not at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, text

from orchestrator import metrics
from orchestrator.clock import Instants
from orchestrator.records.inbox import Lane
from orchestrator.records.operations.work import BY_PROVIDER, LANES

EVERY = timedelta(seconds=5)  # machine time
MOST = 10_000  # rows of a lane that are looked at
_MOST_PARKED = 50_000
_MOST_REASONS = 20
_LOCK = 0x6F72_6368_636F_756E  # "orchcoun": who counts holds it until the commit
_QUICKLY = text("SET LOCAL statement_timeout = '5s'")
_MINE = text("""
    SELECT pg_try_advisory_xact_lock(:lock) AND NOT EXISTS (
        SELECT FROM work_counters WHERE metric = :metric AND counted_at > :since)""")

# Scalar subqueries, LATERAL and LIMIT: whatever the statistics say, rows are found by the indexes of the queues.
_TIMERS = text("""
    WITH looked AS MATERIALIZED (
        SELECT customer_id, enrollment_id, due_at FROM timers WHERE due_at <= :business ORDER BY due_at LIMIT :most)
    SELECT 'timers' AS lane, '' AS provider, count(*) AS due, min(due_at) AS oldest,
           (SELECT max(due_at) FROM looked HAVING count(*) >= :most) AS reached
    FROM looked AS l WHERE (
        SELECT 1 FROM parked AS p
        WHERE p.customer_id = l.customer_id AND p.enrollment_id IN (0, l.enrollment_id) LIMIT 1) IS NULL""")

_INBOX = text("""
    SELECT lanes.name AS lane, '' AS provider, counted.due, counted.oldest, counted.reached
    FROM unnest(CAST(:names AS text[]), CAST(:numbers AS smallint[])) AS lanes(name, number)
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE looked.free) AS due, min(looked.received_at) FILTER (WHERE looked.free) AS oldest,
               CASE WHEN count(*) >= :most THEN max(looked.received_at) END AS reached
        FROM (
            SELECT i.received_at, (
                       SELECT 1 FROM parked AS p WHERE p.customer_id = i.customer_id AND p.enrollment_id = 0 LIMIT 1
                   ) IS NULL AS free
            FROM inbox AS i
            WHERE (i.lane, i.id) >= (lanes.number, CAST(-1 AS bigint))
              AND (i.lane, i.id) <= (lanes.number, CAST(9223372036854775807 AS bigint))
            ORDER BY i.lane, i.id LIMIT :most) AS looked) AS counted""")

# The providers are found by skipping through the index: a step for each, however many rows there are. Business and
# machine time are the same instant but where a clock is virtual: the index leads, the two columns decide.
_MESSAGES = text("""
    WITH RECURSIVE found AS (
        (SELECT provider FROM dispatch ORDER BY provider LIMIT 1)
        UNION ALL
        SELECT (SELECT d.provider FROM dispatch AS d WHERE d.provider > found.provider ORDER BY d.provider LIMIT 1)
        FROM found WHERE found.provider IS NOT NULL)
    SELECT CASE WHEN marked.handed THEN 'settle' ELSE 'messages' END AS lane, found.provider, counted.due,
           counted.oldest, counted.reached
    FROM found CROSS JOIN (VALUES (false), (true)) AS marked(handed) CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE looked.free) AS due, min(looked.since) FILTER (WHERE looked.free) AS oldest,
               CASE WHEN count(*) >= :most THEN max(looked.since) END AS reached
        FROM (
            SELECT greatest(d.due_at, :business - (:machine - d.free_at) * CAST(:rate AS float8)) AS since,
                   d.due_at <= :business AND d.free_at <= :machine AND (
                       SELECT 1 FROM parked AS p WHERE p.customer_id = d.customer_id AND p.enrollment_id = 0 LIMIT 1
                   ) IS NULL AS free
            FROM dispatch AS d
            WHERE d.provider = found.provider AND d.handed = marked.handed
              AND greatest(d.due_at, d.free_at) <= greatest(:business, :machine)
            ORDER BY greatest(d.due_at, d.free_at) LIMIT :most) AS looked) AS counted
    WHERE found.provider IS NOT NULL""")

_PARKED = text("""
    SELECT reason, count(*) AS number FROM (SELECT reason FROM parked LIMIT :most) AS looked
    GROUP BY reason ORDER BY number DESC, reason""")
_RATE = text("SELECT rate FROM clock WHERE id = 1")
_SIZE = text("SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::bigint")

_BY_STATUS = """
    SELECT m.status || '|' || coalesce(v.policy, '') AS key, count(*) AS number,
           count(*) FILTER (WHERE m.status = 'handing_over' AND d.free_at <= :machine) AS lapsed
    FROM dispatch AS d
    CROSS JOIN LATERAL (
        SELECT status FROM messages WHERE customer_id = d.customer_id AND id = d.message_id LIMIT 1) AS m
    LEFT JOIN LATERAL (
        SELECT policy, verdict FROM verdicts WHERE customer_id = d.customer_id AND message_id = d.message_id
        ORDER BY seq DESC LIMIT 1) AS v ON m.status = 'planned' AND v.verdict = 'defer'
    WHERE {stretch} GROUP BY 1"""
_LIVE = "SELECT 'live' AS key, count(*) AS number, 0 AS lapsed FROM timers AS d WHERE {stretch}"
_STRETCH = "d.ctid >= CAST(:first AS tid) AND d.ctid < CAST(:end AS tid)"

_PASS = text("SELECT block, so_far FROM counting_passes WHERE name = :name")
_MOVE = text("""
    INSERT INTO counting_passes (name, block, so_far, moved_at) VALUES (:name, :block, CAST(:so_far AS jsonb), :machine)
    ON CONFLICT (name) DO UPDATE SET block = excluded.block, so_far = excluded.so_far, moved_at = excluded.moved_at""")
_KEEP = text("""
    INSERT INTO work_counters (metric, labels, value, counted_at)
    SELECT metric, CAST(labels AS jsonb), value, :machine
    FROM unnest(CAST(:metrics AS text[]), CAST(:labels AS text[]), CAST(:values AS float8[]))
      AS new(metric, labels, value)
    ON CONFLICT (metric, labels) DO UPDATE SET value = excluded.value, counted_at = excluded.counted_at""")
_FORGET = text("DELETE FROM work_counters WHERE metric = ANY(:metrics) AND counted_at < :machine")

_INBOX_LANES = {"answers": Lane.ANSWERS, "signals": Lane.SIGNALS, "background": Lane.BACKGROUND}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Whole:
    """What is counted whole: a statement over a stretch of ``table``, ``blocks`` of it at a time."""

    name: str
    table: str
    statement: TextClause
    blocks: int
    metrics: tuple[str, ...]


_WHOLES = (
    _Whole(
        name="messages",
        table="dispatch",
        statement=text(_BY_STATUS.format(stretch=_STRETCH)),
        blocks=128,  # of eight kilobytes: about ten thousand messages, each looked up twice
        metrics=(metrics.WAITING, metrics.HELD, metrics.LAPSED),
    ),
    _Whole(
        name="enrollments",
        table="timers",
        statement=text(_LIVE.format(stretch=_STRETCH)),
        blocks=2048,
        metrics=(metrics.LIVE,),
    ),
)


@dataclass(kw_only=True, slots=True)
class Counted:
    """Work figures: by metric and labels. ``metrics`` were counted, whether or not anything was found; ``at_least`` are
    those of which only a first stretch was counted."""

    values: dict[tuple[str, Labels], float] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    at_least: set[str] = field(default_factory=set)

    def put(self, metric: str, value: float, **labels: str) -> None:
        self.values[metric, tuple(sorted(labels.items()))] = value


def count_work(connection: Connection, now: Instants, *, blocks: int | None = None) -> bool:
    """Count, and keep what was counted, unless somebody did within :data:`EVERY` or does now. Whether it was done.

    ``blocks`` takes the place of the sizes of the stretches.
    """
    mine = {"lock": _LOCK, "metric": metrics.RATE, "since": now.machine - EVERY}
    if not connection.execute(_MINE, mine).scalar_one():
        return False
    connection.execute(_QUICKLY)
    counted = _at_once(connection, now)
    for whole in _WHOLES:
        found = _next_stretch(connection, whole, now, blocks or whole.blocks)
        if found is not None:
            _put_whole(counted, whole, found)
    _keep(connection, counted, now.machine)
    return True


def count_now(connection: Connection, now: Instants) -> Counted:
    """What :func:`count_work` would keep, for whoever finds nothing kept: of large tables the first stretch alone."""
    connection.execute(_QUICKLY)
    counted = _at_once(connection, now)
    for whole in _WHOLES:
        _put_whole(counted, whole, _stretch(connection, whole, now, 0, whole.blocks))
        if _size(connection, whole) > whole.blocks:
            counted.at_least.update(whole.metrics)
    return counted


def _at_once(connection: Connection, now: Instants) -> Counted:
    counted = Counted(metrics={metrics.LAG, metrics.DUE, metrics.PARKED, metrics.RATE})
    for lane in LANES:
        if lane not in BY_PROVIDER:
            counted.put(metrics.LAG, 0.0, lane=lane, provider="")
            counted.put(metrics.DUE, 0.0, lane=lane, provider="")
    values: dict[str, Any] = {
        "business": now.business,
        "machine": now.machine,
        "rate": now.rate,
        "most": MOST,
    }
    values |= {"names": list(_INBOX_LANES), "numbers": [int(lane) for lane in _INBOX_LANES.values()]}
    for statement in (_TIMERS, _INBOX, _MESSAGES):
        known = {name: value for name, value in values.items() if f":{name}" in statement.text}
        for row in connection.execute(statement, known):
            # Rows that nobody may take stand before all others: what comes after is no older than where looking ended.
            oldest = row.oldest if row.due else row.reached
            counted.put(metrics.LAG, _lag(oldest, now), lane=row.lane, provider=row.provider)
            counted.put(metrics.DUE, row.due, lane=row.lane, provider=row.provider)
    reasons: Counter[str] = Counter()
    for place, row in enumerate(connection.execute(_PARKED, {"most": _MOST_PARKED})):
        reasons[row.reason if place < _MOST_REASONS else "other"] += row.number
    for reason, number in reasons.items():
        counted.put(metrics.PARKED, number, reason=reason)
    counted.put(metrics.RATE, connection.execute(_RATE).scalar_one())
    return counted


def _lag(oldest: datetime | None, now: Instants) -> float:
    """Business time that passed since, in seconds of machine time."""
    return 0.0 if oldest is None else max(0.0, (now.business - oldest).total_seconds() / now.rate)


def _put_whole(counted: Counted, whole: _Whole, found: Mapping[str, float]) -> None:
    counted.metrics.update(whole.metrics)
    if whole.name == "enrollments":
        counted.put(metrics.LIVE, found.get("live", 0))
        return
    by_status: Counter[str] = Counter()
    by_policy: Counter[str] = Counter()
    for key, number in found.items():
        status, _, policy = key.partition("|")
        by_status[status] += int(number)
        if policy:
            by_policy[policy] += int(number)
    counted.put(metrics.LAPSED, by_status.pop("lapsed", 0))
    for status in {"planned", "handing_over", "uncertain", *by_status}:
        counted.put(metrics.WAITING, by_status[status], status=status)
    for policy, number in by_policy.items():
        counted.put(metrics.HELD, number, policy=policy)


def _next_stretch(
    connection: Connection, whole: _Whole, now: Instants, blocks: int
) -> Mapping[str, float] | None:
    """Go on with the pass over a table; the sums of the whole table when it is over."""
    stands = connection.execute(_PASS, {"name": whole.name}).first()
    block, so_far = (stands.block, stands.so_far) if stands else (0, {})
    sums = Counter(so_far)
    sums.update(_stretch(connection, whole, now, block, blocks))
    following = block + blocks
    over = following >= _size(connection, whole)
    values = {"name": whole.name, "machine": now.machine}
    if over:
        connection.execute(_MOVE, {**values, "block": 0, "so_far": "{}"})
        return sums
    connection.execute(_MOVE, {**values, "block": following, "so_far": json.dumps(sums)})
    return None


def _stretch(connection: Connection, whole: _Whole, now: Instants, block: int, blocks: int) -> dict[str, int]:
    values: dict[str, Any] = {"first": f"({block},0)", "end": f"({block + blocks},0)"}
    if ":machine" in whole.statement.text:
        values["machine"] = now.machine
    found: dict[str, int] = {}
    lapsed = 0
    for row in connection.execute(whole.statement, values):
        found[row.key] = row.number
        lapsed += row.lapsed
    return found | ({"lapsed|": lapsed} if lapsed else {})


def _size(connection: Connection, whole: _Whole) -> int:
    size: int = connection.execute(_SIZE, {"name": whole.table}).scalar_one()
    return size


def _keep(connection: Connection, counted: Counted, machine: datetime) -> None:
    """Write what was counted, and let go of labels that are gone."""
    rows: Sequence[tuple[tuple[str, Labels], float]] = sorted(counted.values.items())
    values = {
        "metrics": [metric for (metric, _), _ in rows],
        "labels": [json.dumps(dict(labels)) for (_, labels), _ in rows],
        "values": [float(value) for _, value in rows],
        "machine": machine,
    }
    connection.execute(_KEEP, values)
    connection.execute(_FORGET, {"metrics": sorted(counted.metrics), "machine": machine})
