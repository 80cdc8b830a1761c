"""How much a crowd tried, by kind.

A *try* is one attempt at something that the guard may refuse or must put in order: a message put to the policies when
it is planned, or again when it is to be handed over; a start; a word of withdrawal or consent; another policy. What was
rolled back is not counted. What is only work (a walk moved, a signal taken, a delivery) is no try.
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Engine as Database
from sqlalchemy import text

_JUDGED = text("""
SELECT asked, CASE WHEN verdict IN ('allow', 'hold_out') THEN 'allowed' ELSE policy END AS outcome, sum(count) AS times
  FROM verdicts GROUP BY 1, 2
""")
_ASKED = {"planned": "planned", "hand_over": "hand-over", "both": "both"}
_STARTS = text("""
SELECT 'starts: made' AS outcome, count(*) AS times FROM enrollments
UNION ALL SELECT 'starts: refused', coalesce(sum(count), 0)::bigint FROM refusals
""")
_WORDS = text("SELECT action AS outcome, count(*) AS times FROM stress_consents GROUP BY 1")
_POLICIES = text("SELECT count(DISTINCT began) FROM stress_caps")
_OVERLAPS = text("""
SELECT count(*) FROM (
  SELECT tx, opened, lag(tx) OVER same AS tx_before, lag(stamped) OVER same AS stamped_before
    FROM (SELECT customer_id, tick, tx, opened, stamped FROM stress_marks
          UNION ALL SELECT customer_id, tick, tx, opened, stamped FROM stress_consents) AS facts
  WINDOW same AS (PARTITION BY customer_id ORDER BY tick)) AS pairs
 WHERE tx <> tx_before AND opened < stamped_before
""")


def tries(database: Database) -> Counter[str]:
    found: Counter[str] = Counter()
    with database.connect() as connection:
        for row in connection.execute(_JUDGED):
            found[f"{_ASKED[row.asked]}: {row.outcome}"] = int(row.times)
        for row in connection.execute(_STARTS):
            found[row.outcome] = row.times
        for row in connection.execute(_WORDS):
            found[f"words: {row.outcome}"] = row.times
        found["policies"] = connection.execute(_POLICIES).scalar_one()
    return found


def overlaps(database: Database) -> int:
    """How many hand-overs and words had their transaction open when the customer's one before was committed: the lock
    alone put these two in order."""
    with database.connect() as connection:
        return int(connection.execute(_OVERLAPS).scalar_one())
