"""SQL views for people with a BI tool: plain words, one row per thing, no address and no message text.

They are derived from the tables and belong to no revision: :mod:`orchestrator.store.migrate` drops them before tables
change and makes them again after. A digest kept as the comment of ``alembic_version`` tells whether a database has
these very views, so an up-to-date one is never touched.
"""

# ruff: noqa: S608 - every text is a constant

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlView:
    """``about`` and ``columns`` become COMMENT ON; columns whose name says all need no comment."""

    name: str
    about: str
    sql: str
    columns: Mapping[str, str] = field(default_factory=dict)


_ARM = "CASE WHEN {0}.held_out THEN 'held_out' ELSE 'contacted' END AS arm"

VIEWS = (
    SqlView(
        name="v_enrollments",
        about="One row per enrollment of one customer in one playbook version.",
        columns={
            "arm": "contacted, or held_out: walks along without being contacted, for comparison",
            "because": "why the customer was let in, in the words of the playbook",
            "is_live": "still walking",
            "converted_at": "when the playbook's goal was reached within its window",
        },
        sql=f"""
            SELECT c.key AS customer_key, a.key AS account_key, e.customer_id, e.id AS enrollment_id, e.playbook,
                   p.version, {_ARM.format("e")}, e.trigger, e.because, e.entered_at, e.step, e.step_entered_at,
                   e.ended_at IS NULL AS is_live, e.ended_at, e.end_status, v.at AS converted_at,
                   v.event AS converted_by, v.value AS conversion_value
            FROM enrollments AS e
            JOIN customers AS c ON c.id = e.customer_id
            JOIN playbooks AS p ON p.id = e.playbook_id
            LEFT JOIN accounts AS a ON a.id = c.account_id
            LEFT JOIN conversions AS v ON v.customer_id = e.customer_id AND v.enrollment_id = e.id""",
    ),
    SqlView(
        name="v_messages",
        about="One row per message a playbook wanted to send, whatever became of it.",
        columns={
            "status": "planned, handing_over, sent, held_out, uncertain, abandoned, not_sent, withdrawn or refused",
            "reason": "why it was not sent or was withdrawn",
            "handed_at": "when its hand-over to the provider was authorised",
            "sent_at": "when it went out; for a held-out message, when it would have",
            "opened_at": "first open, or first sight in the product",
            "responses": "every outcome received about it with its first instant",
        },
        sql=f"""
            SELECT c.key AS customer_key, m.customer_id, m.id AS message_id, m.enrollment_id, m.playbook, p.version,
                   m.step, m.kind, m.channel, m.provider, m.topic, m.promotional, m.priority, {_ARM.format("m")},
                   m.status, m.reason, m.code, m.attempt, m.planned_at, m.handed_at, m.sent_at, m.settled_at,
                   coalesce(m.responses ->> 'opened', m.responses ->> 'seen')::timestamptz AS opened_at,
                   (m.responses ->> 'clicked')::timestamptz AS clicked_at,
                   (m.responses ->> 'replied')::timestamptz AS replied_at,
                   (m.responses ->> 'answered')::timestamptz AS answered_at,
                   (m.responses ->> 'dismissed')::timestamptz AS dismissed_at, m.responses
            FROM messages AS m
            JOIN customers AS c ON c.id = m.customer_id
            JOIN playbooks AS p ON p.id = m.playbook_id""",
    ),
    SqlView(
        name="v_verdicts",
        about="One row per answer of the guardrails about one message; equal answers in a row are counted.",
        columns={
            "asked": "planned: when the step began; hand_over: in the moment of sending; both: these were one moment",
            "policy": "the guardrail that decided; 'all' when every one allowed",
            "verdict": "allow, defer, drop or hold_out",
            "times": "how often in a row the answer was the same",
        },
        sql="""
            SELECT c.key AS customer_key, v.customer_id, v.message_id, m.playbook, p.version, m.step, v.channel,
                   m.topic, v.asked, v.policy, v.verdict, v.why, v.until, v.first_at, v.last_at, v.count AS times
            FROM verdicts AS v
            JOIN messages AS m ON m.customer_id = v.customer_id AND m.id = v.message_id
            JOIN customers AS c ON c.id = v.customer_id
            JOIN playbooks AS p ON p.id = m.playbook_id""",
    ),
    SqlView(
        name="v_funnel",
        about="One row per playbook version, arm, step and outcome: how often it was entered and how it was left.",
        columns={
            "entered": "visits of the step, the same on each of its rows",
            "live": "customers in the step now, the same on each of its rows",
            "outcome": "the outcome the step was left by, or the walk ended with there; empty when nobody has left it",
            "left_by_outcome": "visits that were left by this outcome",
        },
        sql="""
            WITH lines AS (
                SELECT e.playbook_id, e.held_out, j.event, j.step, j.outcome
                FROM journal AS j
                JOIN enrollments AS e ON e.customer_id = j.customer_id AND e.id = j.enrollment_id
                WHERE j.event IN ('step_entered', 'step_left', 'ended')
            ), entered AS (
                SELECT playbook_id, held_out, step, count(*) AS entered
                FROM lines WHERE event = 'step_entered' GROUP BY 1, 2, 3
            ), live AS (
                SELECT playbook_id, held_out, step, count(*) AS live
                FROM enrollments WHERE ended_at IS NULL GROUP BY 1, 2, 3
            ), departed AS (
                SELECT playbook_id, held_out, step, outcome, count(*) AS departed
                FROM lines WHERE event <> 'step_entered' GROUP BY 1, 2, 3, 4
            )
            SELECT p.name AS playbook, p.version, CASE WHEN e.held_out THEN 'held_out' ELSE 'contacted' END AS arm,
                   e.step, e.entered, coalesce(l.live, 0) AS live, d.outcome, coalesce(d.departed, 0) AS left_by_outcome
            FROM entered AS e
            JOIN playbooks AS p ON p.id = e.playbook_id
            LEFT JOIN live AS l USING (playbook_id, held_out, step)
            LEFT JOIN departed AS d USING (playbook_id, held_out, step)""",
    ),
    SqlView(
        name="v_conversions",
        about="One row per enrollment whose goal was reached, in either arm.",
        columns={
            "arm": "contacted, or held_out: converted without having been contacted",
            "last_touch_channel": "channel of the last message before the goal; empty when there was none",
        },
        sql=f"""
            SELECT c.key AS customer_key, a.key AS account_key, v.customer_id, v.enrollment_id, e.playbook, p.version,
                   {_ARM.format("v")}, v.event, v.at AS converted_at, v.value, e.trigger, e.entered_at,
                   extract(epoch FROM v.at - e.entered_at) / 86400 AS days_to_convert,
                   m.id AS last_touch_message_id, m.channel AS last_touch_channel, m.step AS last_touch_step
            FROM conversions AS v
            JOIN enrollments AS e ON e.customer_id = v.customer_id AND e.id = v.enrollment_id
            JOIN customers AS c ON c.id = v.customer_id
            JOIN playbooks AS p ON p.id = e.playbook_id
            LEFT JOIN accounts AS a ON a.id = c.account_id
            LEFT JOIN messages AS m ON m.customer_id = v.customer_id AND m.id = v.message_id""",
    ),
    SqlView(
        name="v_opt_outs",
        about="One row per withdrawal of consent, also those that were taken back later.",
        columns={
            "channel": "'*' means every channel",
            "topic": "'*' means every topic",
            "still_in_force": "the present state of exactly this channel and topic is still: no",
        },
        sql="""
            SELECT c.key AS customer_key, l.customer_id, l.channel, l.topic, l.method, l.source, l.actor,
                   l.occurred_at, l.recorded_at, coalesce(NOT s.granted, false) AS still_in_force
            FROM consent_ledger AS l
            JOIN customers AS c ON c.id = l.customer_id
            LEFT JOIN consents AS s
                   ON s.customer_id = l.customer_id AND s.channel = l.channel AND s.topic = l.topic
            WHERE l.action = 'revoked'""",
    ),
    SqlView(
        name="v_customers_contactable",
        about="One row per customer and channel with an address: may a promotional message reach them today?",
        columns={
            "has_valid_address": "an address is known and no provider called it bad",
            "opted_out_of_everything": "withdrew every topic on this channel or on all channels",
            "opted_out_topics": "topics withdrawn one by one",
            "resting_until": "end of the do-not-disturb rest of everything, if one runs",
            "on_hold": "names of open holds, such as an open support ticket",
        },
        sql="""
            WITH today AS (
                SELECT business_anchor + (clock_timestamp() - machine_anchor) * rate AS at FROM clock
            ), doors AS (
                SELECT customer_id, channel, invalid_reason IS NULL AS valid FROM contact_points
                UNION ALL SELECT id, 'in_app', last_seen_at IS NOT NULL FROM customers WHERE erased_at IS NULL
            )
            SELECT c.key AS customer_key, c.id AS customer_id, d.channel, d.valid AS has_valid_address,
                   EXISTS (SELECT FROM consents AS s WHERE s.customer_id = c.id AND NOT s.granted AND s.topic = '*'
                           AND s.channel IN ('*', d.channel)) AS opted_out_of_everything,
                   ARRAY(SELECT DISTINCT s.topic FROM consents AS s WHERE s.customer_id = c.id AND NOT s.granted
                         AND s.topic <> '*' AND s.channel IN ('*', d.channel) ORDER BY 1) AS opted_out_topics,
                   (SELECT max(r.ends_at) FROM cooldowns AS r WHERE r.customer_id = c.id AND NOT r.shadow
                    AND r.scope = 'everything' AND r.lifted_at IS NULL AND r.ends_at > today.at) AS resting_until,
                   ARRAY(SELECT DISTINCT h.name FROM holds AS h WHERE h.customer_id = c.id AND h.closed_at IS NULL
                         AND (h.ends_at IS NULL OR h.ends_at > today.at) ORDER BY 1) AS on_hold
            FROM customers AS c
            JOIN doors AS d ON d.customer_id = c.id
            CROSS JOIN today
            WHERE c.erased_at IS NULL""",
    ),
    SqlView(
        name="v_refusals",
        about="One row per customer, playbook, trigger and reason of starts that were refused; equal ones are counted.",
        columns={"refused_at": "the first time"},
        sql="""
            SELECT c.key AS customer_key, r.customer_id, r.playbook, r.reason, r.trigger, r.at AS refused_at,
                   coalesce(r.last_at, r.at) AS last_refused_at, r.count AS times
            FROM refusals AS r JOIN customers AS c ON c.id = r.customer_id""",
    ),
    SqlView(
        name="v_cooldowns",
        about="One row per cooldown, past ones included.",
        columns={"shadow": "begun by a held-out walk: recorded, but keeps nobody from being contacted"},
        sql="""
            SELECT c.key AS customer_key, r.customer_id, r.scope, r.scope_value, r.reason, e.playbook, r.shadow,
                   r.starts_at, r.ends_at, r.lifted_at
            FROM cooldowns AS r
            JOIN customers AS c ON c.id = r.customer_id
            LEFT JOIN enrollments AS e ON e.customer_id = r.customer_id AND e.id = r.enrollment_id""",
    ),
)


def _statements() -> list[str]:
    statements = []
    for view in VIEWS:
        statements.append(f"CREATE VIEW {view.name} AS {view.sql}")
        statements.append(f"COMMENT ON VIEW {view.name} IS {_literal(view.about)}")
        statements.extend(
            f"COMMENT ON COLUMN {view.name}.{column} IS {_literal(about)}"
            for column, about in view.columns.items()
        )
    return statements


def _digest() -> str:
    return hashlib.sha256("\n".join(_statements()).encode()).hexdigest()[:16]


def create(connection: Connection) -> None:
    """Make every view, and note which they are."""
    for statement in _statements():
        connection.exec_driver_sql(statement)
    mark = " ".join(["views", _digest(), *(view.name for view in VIEWS)])
    connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS {_literal(mark)}")


def drop(connection: Connection) -> None:
    """Drop the views that this database was given, by whatever version made them."""
    for name in _mark(connection)[2:]:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    if _mark(connection):
        connection.exec_driver_sql("COMMENT ON TABLE alembic_version IS NULL")


def are_current(connection: Connection) -> bool:
    return _mark(connection)[1:2] == [_digest()]


def _mark(connection: Connection) -> list[str]:
    found = connection.scalar(text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"))
    return found.split() if found and found.startswith("views ") else []


def _literal(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
