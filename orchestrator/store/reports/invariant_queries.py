"""The queries of :mod:`orchestrator.store.reports.invariants`.

Each returns customer_id, row_id and detail of what is wrong.
"""

# ruff: noqa: S608 - every text is a constant

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.consent.scope import IMPLIED
from orchestrator.store.consents import EVERYONE_FOLDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Invariant:
    name: str
    about: str
    sql: str


_UNSETTLED = "('planned', 'handing_over', 'uncertain')"
_SPOKEN = "('sent', 'uncertain', 'abandoned', 'handing_over')"

# A withdrawal l that covers channel {channel} and topic {topic}, in force at {at}: recorded before it, not expired,
# and not taken back by a later and narrower express grant. The rule of orchestrator.core.consent.scope.
_WITHDRAWN = """
    l.action IN ('revoked', 'erased') AND l.recorded_at < {at} AND (l.expires_at IS NULL OR l.expires_at > {at})
    AND l.channel IN ('*', {channel}) AND l.topic IN ('*', {topic})
    AND NOT EXISTS (
        SELECT FROM consent_ledger AS g
        WHERE g.customer_id = l.customer_id AND g.action IN ('granted', 'confirmed') AND g.recorded_at <= {at}
          AND g.basis NOT IN ({implied})
          AND least(g.occurred_at, g.recorded_at) > least(l.occurred_at, l.recorded_at)
          AND (g.expires_at IS NULL OR g.expires_at > {at})
          AND l.channel IN ('*', g.channel) AND l.topic IN ('*', g.topic)
          AND g.channel IN ('*', {channel}) AND g.topic IN ('*', {topic}))"""

_WITHDRAWN = _WITHDRAWN.replace("{implied}", ", ".join(f"'{basis}'" for basis in sorted(IMPLIED)))

INVARIANTS = (
    Invariant(
        name="live_enrollment_has_a_timer",
        about="Every live enrollment has exactly one timer, of its own visit: nobody waits for ever.",
        sql="""
            SELECT e.customer_id, e.id AS row_id,
                   CASE WHEN t.visit IS NULL THEN 'no timer in step ' || e.step
                        ELSE 'timer of visit ' || t.visit || ' in visit ' || e.visit END AS detail
            FROM enrollments AS e
            LEFT JOIN timers AS t ON t.customer_id = e.customer_id AND t.enrollment_id = e.id
            WHERE e.ended_at IS NULL AND t.visit IS DISTINCT FROM e.visit""",
    ),
    Invariant(
        name="timer_belongs_to_a_live_enrollment",
        about="Ended enrollments have no timer.",
        sql="""
            SELECT t.customer_id, t.enrollment_id AS row_id,
                   CASE WHEN e.id IS NULL THEN 'no such enrollment' ELSE 'ended as ' || e.end_status END AS detail
            FROM timers AS t
            LEFT JOIN enrollments AS e ON e.customer_id = t.customer_id AND e.id = t.enrollment_id
            WHERE e.id IS NULL OR e.ended_at IS NOT NULL""",
    ),
    Invariant(
        name="unsettled_message_has_a_dispatch_row",
        about="Whatever is not settled will be looked at again.",
        sql=f"""
            SELECT m.customer_id, m.id AS row_id, 'status ' || m.status AS detail
            FROM messages AS m
            WHERE m.status IN {_UNSETTLED} AND NOT EXISTS (
                SELECT FROM dispatch AS d WHERE d.customer_id = m.customer_id AND d.message_id = m.id)""",
    ),
    Invariant(
        name="settled_message_has_no_dispatch_row",
        about="Nothing that is settled is handed over again.",
        sql=f"""
            SELECT d.customer_id, d.message_id AS row_id, coalesce('status ' || m.status, 'no such message') AS detail
            FROM dispatch AS d
            LEFT JOIN messages AS m ON m.customer_id = d.customer_id AND m.id = d.message_id
            WHERE m.status IS NULL OR m.status NOT IN {_UNSETTLED}""",
    ),
    Invariant(
        name="visit_is_unique",
        about="A visit of a step is entered once and has one message at most.",
        sql="""
            SELECT customer_id, enrollment_id AS row_id, 'visit ' || visit || ' entered twice' AS detail
            FROM journal WHERE event = 'step_entered' GROUP BY customer_id, enrollment_id, visit HAVING count(*) > 1
            UNION ALL
            SELECT customer_id, enrollment_id, 'visit ' || visit || ' has several messages'
            FROM messages GROUP BY customer_id, enrollment_id, visit HAVING count(*) > 1""",
    ),
    Invariant(
        name="message_is_sent_once",
        about="A message is handed over again only after a try that is known to have sent nothing.",
        sql="""
            SELECT customer_id, enrollment_id AS row_id, 'visit ' || visit || ' was handed over '
                   || count(*) FILTER (WHERE event = 'handed_over') || ' times' AS detail
            FROM journal WHERE event IN ('handed_over', 'try_again') GROUP BY customer_id, enrollment_id, visit
            HAVING count(*) FILTER (WHERE event = 'handed_over') > 1 + count(*) FILTER (WHERE event = 'try_again')
            UNION ALL
            SELECT customer_id, message_id, 'the provider accepted it ' || count(*) || ' times'
            FROM provider_ids GROUP BY customer_id, message_id HAVING count(*) > 1""",
    ),
    Invariant(
        name="no_hand_over_after_an_opt_out",
        about="No hand-over to a customer is authorised after a withdrawal that covers it.",
        sql=f"""
            SELECT m.customer_id, m.id AS row_id, 'handed over at ' || m.handed_at || ', withdrawn at '
                   || l.recorded_at AS detail
            FROM messages AS m JOIN consent_ledger AS l ON l.customer_id = m.customer_id
            WHERE m.kind IN ('send', 'ask') AND {
            _WITHDRAWN.format(channel="m.channel", topic="m.topic", at="m.handed_at")
        }""",
    ),
    Invariant(
        name="opt_out_cancels_what_is_planned",
        about="A withdrawal for every channel leaves no planned message in its topics.",
        sql=f"""
            SELECT m.customer_id, m.id AS row_id, 'planned, but withdrawn at ' || l.recorded_at AS detail
            FROM messages AS m JOIN consent_ledger AS l ON l.customer_id = m.customer_id
            WHERE m.status = 'planned' AND m.kind IN ('send', 'ask') AND l.channel = '*' AND l.expires_at IS NULL
              AND {_WITHDRAWN.format(channel="m.channel", topic="m.topic", at="'infinity'::timestamptz")}""",
    ),
    Invariant(
        name="nothing_is_said_after_the_end",
        about="An enrollment that has ended hands nothing over, and nothing goes out before it was planned.",
        sql="""
            SELECT m.customer_id, m.id AS row_id, CASE WHEN m.handed_at < m.planned_at THEN 'before it was planned'
                   ELSE 'after the end as ' || e.end_status END AS detail
            FROM messages AS m JOIN enrollments AS e ON e.customer_id = m.customer_id AND e.id = m.enrollment_id
            WHERE m.handed_at > e.ended_at OR m.handed_at < m.planned_at""",
    ),
    Invariant(
        name="journal_is_dense",
        about="The journal of an enrollment has no gap.",
        sql="""
            SELECT customer_id, enrollment_id AS row_id, count(*) || ' lines from ' || min(seq) || ' to ' || max(seq)
                   AS detail
            FROM journal GROUP BY customer_id, enrollment_id HAVING count(*) <> max(seq) - min(seq) + 1""",
    ),
    Invariant(
        name="journal_gives_the_state",
        about="The journal's changes, one after the other, give the stored state.",
        sql="""
            SELECT e.customer_id, e.id AS row_id, 'differs in ' || (
                       SELECT string_agg(key, ', ' ORDER BY key)
                       FROM jsonb_each(CAST(:first_state AS jsonb) || f.folded) AS k
                       WHERE k.value IS DISTINCT FROM e.state -> k.key) AS detail
            FROM enrollments AS e
            JOIN customers AS c ON c.id = e.customer_id AND c.erased_at IS NULL
            JOIN LATERAL (
                SELECT coalesce(jsonb_object_agg(key, value), '{}') AS folded
                FROM (SELECT DISTINCT ON (d.key) d.key, d.value
                      FROM journal AS j CROSS JOIN jsonb_each(j.data) AS d
                      WHERE j.customer_id = e.customer_id AND j.enrollment_id = e.id
                      ORDER BY d.key, j.seq DESC) AS latest) AS f ON true
            WHERE EXISTS (SELECT FROM journal AS j
                          WHERE j.customer_id = e.customer_id AND j.enrollment_id = e.id AND j.event = 'started')
              AND CAST(:first_state AS jsonb) || f.folded <> e.state""",
    ),
    Invariant(
        name="mirror_columns_agree",
        about="The plain columns of an enrollment say what its state says.",
        sql="""
            SELECT customer_id, id AS row_id, 'step ' || step || ', state ' || coalesce(state ->> 'step', '?') AS detail
            FROM enrollments
            WHERE state ->> 'step' IS DISTINCT FROM step OR (state ->> 'visit')::integer IS DISTINCT FROM visit
               OR state ->> 'end_status' IS DISTINCT FROM end_status
               OR (state ->> 'phase' = 'ended') <> (ended_at IS NOT NULL)""",
    ),
    Invariant(
        name="step_belongs_to_the_version",
        about="An enrollment is only in steps of the playbook version it is pinned to.",
        sql="""
            WITH written AS (
                SELECT p.id, array_agg(s.pair ->> 0) AS steps
                FROM playbooks AS p CROSS JOIN LATERAL jsonb_array_elements(p.definition -> 'steps') AS s(pair)
                GROUP BY p.id)
            SELECT e.customer_id, e.id AS row_id, 'step ' || e.step || ' is not in the version' AS detail
            FROM enrollments AS e LEFT JOIN written AS w ON w.id = e.playbook_id
            WHERE e.step <> ALL (coalesce(w.steps, '{}'))""",
    ),
    Invariant(
        name="promotional_message_has_a_cap_slot",
        about="What was said, or may have been said, counts under the caps; a held-out message among shadows only.",
        sql=f"""
            SELECT m.customer_id, m.id AS row_id,
                   'status ' || m.status || coalesce(', shadow ' || p.shadow, ', no place') AS detail
            FROM messages AS m LEFT JOIN cap_slots AS p ON p.customer_id = m.customer_id AND p.message_id = m.id
            WHERE m.promotional AND m.kind IN ('send', 'ask')
              AND (m.status IN {_SPOKEN} OR m.status = 'held_out')
              AND p.shadow IS DISTINCT FROM (m.status = 'held_out' OR m.held_out)
              AND (CAST(:since AS timestamptz) IS NULL OR m.handed_at >= :since)""",
    ),
    Invariant(
        name="cap_slot_belongs_to_what_was_said",
        about="A cap slot is given back when nothing was sent.",
        sql="""
            SELECT p.customer_id, p.message_id AS row_id, coalesce('status ' || m.status, 'no such message') AS detail
            FROM cap_slots AS p LEFT JOIN messages AS m ON m.customer_id = p.customer_id AND m.id = p.message_id
            WHERE m.id IS NULL OR m.status IN ('planned', 'not_sent', 'refused')
               OR (m.status = 'withdrawn' AND m.handed_at IS NULL)""",
    ),
    Invariant(
        name="suppression_has_a_reason",
        about="Whatever was not said has a reason, and whatever was said has a verdict that let it pass.",
        sql=f"""
            SELECT m.customer_id, m.id AS row_id, m.status || ' without a reason' AS detail
            FROM messages AS m
            WHERE m.status IN ('not_sent', 'withdrawn', 'refused') AND m.reason IS NULL AND m.code IS NULL
            UNION ALL
            SELECT m.customer_id, m.id, m.status || ' without a verdict'
            FROM messages AS m
            WHERE (m.status IN {_SPOKEN} OR m.status = 'held_out') AND NOT EXISTS (
                SELECT FROM verdicts AS v WHERE v.customer_id = m.customer_id AND v.message_id = m.id
                AND (v.verdict IN ('allow', 'hold_out') OR v.policy = 'restored'))""",
    ),
    Invariant(
        name="held_out_is_not_contacted",
        about="Nothing of a held-out enrollment reaches its customer.",
        sql="""
            SELECT m.customer_id, m.id AS row_id, 'status ' || m.status AS detail
            FROM messages AS m WHERE m.held_out AND (m.sent_at IS NOT NULL AND m.status <> 'held_out'
                OR m.status IN ('handing_over', 'sent', 'uncertain', 'abandoned', 'refused'))""",
    ),
    Invariant(
        name="consents_are_what_the_ledger_says",
        about="The present state of consent is what its ledger says.",
        sql=f"""{EVERYONE_FOLDED}
            SELECT coalesce(s.customer_id, f.customer_id) AS customer_id, coalesce(f.ledger_id, s.ledger_id) AS row_id,
                   coalesce(f.channel, s.channel) || '/' || coalesce(f.topic, s.topic) || ': ledger says '
                   || coalesce(f.granted::text, 'nothing') || ', state says ' || coalesce(s.granted::text, 'nothing')
                   AS detail
            FROM consents AS s FULL JOIN folded AS f
              ON (f.customer_id, f.channel, f.topic) = (s.customer_id, s.channel, s.topic)
            WHERE (s.granted, s.ledger_id, s.expires_at, s.withdrawn_since)
                  IS DISTINCT FROM (f.granted, f.ledger_id, f.expires_at, f.withdrawn_since)""",
    ),
    Invariant(
        name="conversion_says_its_arm",
        about="A conversion belongs to an enrollment, carries its arm, and happened after the enrollment began.",
        sql="""
            SELECT v.customer_id, v.enrollment_id AS row_id,
                   CASE WHEN e.id IS NULL THEN 'no such enrollment'
                        WHEN v.at < coalesce(CAST(e.state->>'since' AS timestamptz), e.entered_at)
                        THEN 'before it began'
                   ELSE 'another arm than its walk' END AS detail
            FROM conversions AS v
            LEFT JOIN enrollments AS e ON e.customer_id = v.customer_id AND e.id = v.enrollment_id
            WHERE e.id IS NULL OR v.held_out <> e.held_out
               OR v.at < coalesce(CAST(e.state->>'since' AS timestamptz), e.entered_at)""",
    ),
    Invariant(
        name="erased_means_forgotten",
        about="An erased customer has no attributes, no address, no live enrollment and nothing planned.",
        sql="""
            SELECT c.id AS customer_id, NULL::bigint AS row_id, concat_ws(', ',
                       CASE WHEN c.attributes <> '{}' THEN 'attributes' END,
                       CASE WHEN EXISTS (SELECT FROM contact_points AS p WHERE p.customer_id = c.id) THEN 'address' END,
                       CASE WHEN EXISTS (SELECT FROM timers AS t WHERE t.customer_id = c.id) THEN 'live walk' END,
                       CASE WHEN EXISTS (SELECT FROM messages AS m WHERE m.customer_id = c.id
                                         AND m.status = 'planned') THEN 'planned message' END) AS detail
            FROM customers AS c
            WHERE c.erased_at IS NOT NULL AND (c.attributes <> '{}'
                OR EXISTS (SELECT FROM contact_points AS p WHERE p.customer_id = c.id)
                OR EXISTS (SELECT FROM timers AS t WHERE t.customer_id = c.id)
                OR EXISTS (SELECT FROM messages AS m WHERE m.customer_id = c.id AND m.status = 'planned'))""",
    ),
)

# A place counts while handed_at > now - within, so a window that ends at a place is half-open at its far end. The
# window frame is closed at both ends, hence the microsecond, PostgreSQL's smallest step.
CAP = Invariant(
    name="cap_is_kept",
    about="In no rolling window are there more slots taken than a cap allows.",
    sql="""
        SELECT customer_id, message_id AS row_id, taken
        FROM (SELECT customer_id, message_id, handed_at, count(*) OVER (
                  PARTITION BY customer_id, shadow ORDER BY handed_at
                  RANGE BETWEEN CAST(:within AS interval) - interval '1 microsecond' PRECEDING AND CURRENT ROW) AS taken
              FROM cap_slots
              WHERE (CAST(:channel AS text) IS NULL OR channel = :channel)
                AND (CAST(:topic AS text) IS NULL OR topic = :topic)) AS counted
        WHERE taken > :at_most AND (CAST(:since AS timestamptz) IS NULL OR handed_at >= :since)""",
)
