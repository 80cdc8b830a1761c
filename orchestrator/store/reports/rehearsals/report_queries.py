"""The counts behind a report. Every order is total, so that equal databases read alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

CUSTOMERS = "SELECT count(*) FROM customers"
SIGNALS = "SELECT count(*) FROM signals"
OPT_OUTS = "SELECT count(DISTINCT customer_id) FROM consents WHERE NOT granted"

# Every published playbook, also one that nobody entered.
PLAYBOOKS = """
    SELECT p.name AS playbook, count(e.id) AS entered, count(e.id) FILTER (WHERE e.ended_at IS NULL) AS live
    FROM (SELECT DISTINCT name FROM playbooks) AS p LEFT JOIN enrollments AS e ON e.playbook = p.name
    GROUP BY p.name ORDER BY p.name"""

ENDED = """
    SELECT playbook AS key, end_status AS outcome, count(*) AS times
    FROM enrollments WHERE ended_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"""

REFUSED = """
    SELECT playbook AS key, reason AS outcome, sum(count)::bigint AS times
    FROM refusals GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"""

ARMS = """
    SELECT e.playbook, e.held_out, count(*) AS entered, count(c.at) AS converted, coalesce(sum(c.value), 0) AS value
    FROM enrollments AS e
    LEFT JOIN conversions AS c ON c.customer_id = e.customer_id AND c.enrollment_id = e.id
    GROUP BY 1, 2 ORDER BY 1, 2"""

# In the order in which customers come through: by the earliest visit number at which a step was entered.
STEPS = """
    SELECT e.playbook, j.step, count(*) AS entered
    FROM journal AS j JOIN enrollments AS e ON e.customer_id = j.customer_id AND e.id = j.enrollment_id
    WHERE j.event = 'step_entered'
    GROUP BY 1, 2 ORDER BY 1, min(j.visit), 3 DESC, 2"""

STEP_MESSAGES = """
    SELECT playbook || '/' || step AS key,
           count(*) FILTER (WHERE sent_at IS NOT NULL AND NOT held_out) AS sent,
           count(*) FILTER (WHERE status = 'held_out') AS held_out,
           count(*) FILTER (WHERE status IN ('not_sent', 'refused')) AS not_sent
    FROM messages GROUP BY 1"""

LEFT_BY = """
    SELECT e.playbook || '/' || j.step AS key, j.outcome, count(*) AS times
    FROM journal AS j JOIN enrollments AS e ON e.customer_id = j.customer_id AND e.id = j.enrollment_id
    WHERE j.event = 'step_left' AND j.outcome IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"""

CHANNELS = """
    SELECT channel, count(*) AS planned,
           count(*) FILTER (WHERE sent_at IS NOT NULL AND NOT held_out) AS sent,
           count(*) FILTER (WHERE status = 'held_out') AS held_out,
           count(*) FILTER (WHERE status IN ('not_sent', 'refused')) AS not_sent,
           count(*) FILTER (WHERE status = 'withdrawn' AND sent_at IS NULL) AS withdrawn,
           count(*) FILTER (WHERE status IN ('planned', 'handing_over', 'uncertain')) AS waiting
    FROM messages GROUP BY 1 ORDER BY 1"""

RESPONSES = """
    SELECT channel AS key, r.outcome, count(*) AS times
    FROM messages, jsonb_object_keys(responses) AS r(outcome)
    GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"""

HELD_BACK = """
    SELECT policy, verdict, count(DISTINCT (customer_id, message_id)) AS messages, sum(count)::bigint AS times
    FROM verdicts WHERE verdict <> 'allow'
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"""


# Who was set aside because of a defect: these stories stop short, so the figures are not whole.
PARKED = """
    SELECT 'parked' AS key, reason || ': ' || detail AS outcome, count(*) AS times
    FROM parked GROUP BY 1, 2 ORDER BY 3 DESC, 2"""


def count(connection: Connection, query: str) -> int:
    return int(connection.execute(text(query)).scalar_one())


def rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query)).mappings()]


def words_by(connection: Connection, query: str) -> dict[str, tuple[tuple[str, int], ...]]:
    """Rows of (key, outcome, times), gathered by key in their order."""
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for row in rows(connection, query):
        found[row["key"]] = (*found.get(row["key"], ()), (row["outcome"], row["times"]))
    return found
