"""Counts the funnel of a playbook version: see :mod:`orchestrator.analytics.funnel` for what its figures mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, text

from orchestrator.analytics.funnel import Arm, Funnel, HeldBack, MessageCount, StepFunnel, Variant
from orchestrator.analytics.lift import lift
from orchestrator.errors import NotFound


def funnel(connection: Connection, playbook: str, version: int | None = None) -> Funnel:
    """The funnel of one version, the newest unless told. Raises NotFound. A fixed number of statements."""
    found = connection.execute(
        text(
            "SELECT id, version, definition -> 'steps' AS steps FROM playbooks "
            "WHERE name = :name AND version = coalesce(:version, version) ORDER BY version DESC LIMIT 1"
        ),
        {"name": playbook, "version": version},
    ).first()
    if found is None:
        raise NotFound("playbook", playbook if version is None else f"{playbook} version {version}")
    values = {"id": found.id, "name": playbook}
    arms = {row.held_out: _arm(row) for row in connection.execute(_ARMS, values)}
    contacted, held_out = arms.get(False, _NOBODY), arms.get(True, _NOBODY)
    return Funnel(
        playbook=playbook,
        version=found.version,
        contacted=contacted,
        held_out=held_out,
        lift=lift(contacted.rate, held_out.rate),
        steps=_steps(connection, values, [name for name, _ in found.steps or ()]),
        variants=tuple(
            Variant(step=row.step, name=row.variant, arm=_arm(row))
            for row in connection.execute(_VARIANTS, values)
        ),
        messages=tuple(MessageCount(**row._mapping) for row in connection.execute(_MESSAGES, values)),  # noqa: SLF001
        held_back=tuple(HeldBack(**row._mapping) for row in connection.execute(_HELD_BACK, values)),  # noqa: SLF001
        ended={row.outcome: row.number for row in connection.execute(_ENDED, values)},
        refused={row.reason: row.number for row in connection.execute(_REFUSED, values)},
        opted_out=connection.scalar(_OPTED_OUT, values) or 0,
    )


def funnels(connection: Connection) -> list[Funnel]:
    """The funnel of every playbook's newest version, by name."""
    names = connection.execute(text("SELECT DISTINCT name FROM playbooks ORDER BY name")).scalars().all()
    return [funnel(connection, name) for name in names]


def _steps(connection: Connection, values: Mapping[str, Any], written: list[str]) -> tuple[StepFunnel, ...]:
    """In the order in which they were written; all of them, also those nobody has come to."""
    live = {row.step: row.number for row in connection.execute(_LIVE, values)}
    visits: dict[str, int] = dict.fromkeys(written, 0)
    outcomes: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_STEPS, values):
        if row.outcome is None:
            visits[row.step] = row.number
        else:
            outcomes[row.step][row.outcome] = row.number
    return tuple(
        StepFunnel(step=step, visits=number, live=live.get(step, 0), outcomes=outcomes[step])
        for step, number in visits.items()
    )


def _arm(row: Row[Any]) -> Arm:
    return Arm(
        entered=row.entered,
        live=row.live,
        any_sent=row.any_sent,
        converted=row.converted,
        value=float(row.value or 0),
    )


_NOBODY = Arm(entered=0, live=0, any_sent=0, converted=0, value=0.0)

_WALKS = """
    count(*) AS entered, count(*) FILTER (WHERE e.ended_at IS NULL) AS live,
    count(*) FILTER (WHERE (e.state ->> 'any_sent')::boolean) AS any_sent, count(v.at) AS converted,
    sum(v.value) AS value
    FROM enrollments AS e
    LEFT JOIN conversions AS v ON v.customer_id = e.customer_id AND v.enrollment_id = e.id"""

_ARMS = text(f"SELECT e.held_out, {_WALKS} WHERE e.playbook_id = :id GROUP BY e.held_out")

# Variants compare contacted enrollments only: in the holdout both looked alike to the customer.
_VARIANTS = text(f"""
    SELECT s.key AS step, s.value AS variant, {_WALKS} CROSS JOIN LATERAL jsonb_each_text(e.state -> 'variants') AS s
    WHERE e.playbook_id = :id AND NOT e.held_out GROUP BY 1, 2 ORDER BY 1, 2""")

_LIVE = text("""
    SELECT step, count(*) AS number FROM enrollments WHERE playbook_id = :id AND ended_at IS NULL GROUP BY step""")

_STEPS = text("""
    SELECT j.step, CASE WHEN j.event <> 'step_entered' THEN j.outcome END AS outcome, count(*) AS number, min(j.visit)
    FROM journal AS j JOIN enrollments AS e ON e.customer_id = j.customer_id AND e.id = j.enrollment_id
    WHERE e.playbook_id = :id AND j.event IN ('step_entered', 'step_left', 'ended')
    GROUP BY 1, 2 ORDER BY 4, 1, 3 DESC, 2""")

_MESSAGES = text("""
    SELECT step, channel, status, count(*) AS messages, count(*) FILTER (WHERE responses ? 'clicked') AS clicked,
           count(*) FILTER (WHERE responses ?| '{opened,seen}') AS opened
    FROM messages WHERE playbook_id = :id GROUP BY step, channel, status ORDER BY step, channel, status""")

_HELD_BACK = text("""
    SELECT v.policy, v.verdict, count(DISTINCT v.message_id) AS messages, sum(v.count)::bigint AS times,
           (array_agg(v.why ORDER BY v.last_at DESC))[1] AS example
    FROM verdicts AS v JOIN messages AS m ON m.customer_id = v.customer_id AND m.id = v.message_id
    WHERE m.playbook_id = :id AND v.verdict IN ('defer', 'drop')
    GROUP BY v.policy, v.verdict ORDER BY messages DESC, v.policy, v.verdict""")

_ENDED = text("""
    SELECT end_status AS outcome, count(*) AS number FROM enrollments
    WHERE playbook_id = :id AND ended_at IS NOT NULL GROUP BY end_status ORDER BY number DESC, outcome""")

_REFUSED = text("""
    SELECT reason, sum(count)::bigint AS number FROM refusals
    WHERE playbook = :name GROUP BY reason ORDER BY number DESC, reason""")

# Withdrawals by customers while they were enrolled here: the price of speaking.
_OPTED_OUT = text("""
    SELECT count(DISTINCT e.customer_id) FROM enrollments AS e
    JOIN consent_ledger AS l ON l.customer_id = e.customer_id AND l.action = 'revoked'
     AND l.recorded_at >= e.entered_at AND (e.ended_at IS NULL OR l.recorded_at <= e.ended_at)
    WHERE e.playbook_id = :id AND NOT e.held_out""")
