"""Stops what is planned for locked customers, by plain columns: no state, definition or inbox row is read.

Their enrollments hear of it afterwards: a row in the inbox tells them, which whoever takes the customer next applies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from channels.table import channel_table
from orchestrator.core.machine.reasons import OPTED_OUT
from orchestrator.records.consent import ConsentHolder
from orchestrator.records.inbox import Lane
from orchestrator.records.preferences import Stopped, StoppedMessage, StoppedStatus, StopScope
from orchestrator.store.consents import as_policies_read
from orchestrator.store.sql.pipeline import PipelinedQuery, ask_all

_LOCK = text("SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
_LOCK_FREE = text("SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")

_LOCK_KEY = text("SELECT id FROM customers WHERE key = :key AND erased_at IS NULL FOR NO KEY UPDATE")

_HOLDERS = text(
    "SELECT id, key, region FROM customers WHERE id = ANY(:ids) AND erased_at IS NULL ORDER BY id"
)
_POINTS = text("SELECT customer_id, channel, address FROM contact_points WHERE customer_id = ANY(:ids)")
_CONSENTS = text("SELECT * FROM consents WHERE customer_id = ANY(:ids)")

# A few rows by their keys, whatever statistics say: of a table that was empty when it was analysed, "read it all".
_BY_KEY = text("""
SELECT set_config('enable_seqscan', 'off', true) AS seqscan, set_config('enable_hashjoin', 'off', true) AS hashjoin,
       set_config('enable_mergejoin', 'off', true) AS mergejoin
""")

# An enrollment is told in a row of the kind `policy`: a worker of an earlier release takes that for a change of the
# account's policy and asks anew about whatever waits, where one of a kind it does not know would park the customer.
_STOP = text("""
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:customers AS bigint[]), CAST(:channels AS text[]), CAST(:topics AS text[]),
                         CAST(:news AS boolean[])) WITH ORDINALITY AS w(customer_id, channel, topic, news, place)
), unseen AS MATERIALIZED (
    SELECT f.customer_id, f.message_id
      FROM (SELECT DISTINCT customer_id FROM wanted) AS w JOIN feed_items AS f ON f.customer_id = w.customer_id
     WHERE f.seen_at IS NULL AND f.withdrawn_at IS NULL AND (f.expires_at IS NULL OR f.expires_at > :now)
), found AS MATERIALIZED (
    SELECT DISTINCT ON (m.customer_id, m.id)
           w.place, m.customer_id, m.id, m.playbook, m.step, m.channel, m.status,
           w.channel = '*' OR m.channels <@ ARRAY[w.channel] AS no_other_way,
           u.message_id IS NOT NULL AS unseen
      FROM wanted AS w
      CROSS JOIN LATERAL (
           SELECT d.message_id FROM dispatch AS d WHERE d.customer_id = w.customer_id
            UNION SELECT u.message_id FROM unseen AS u WHERE u.customer_id = w.customer_id) AS open
      JOIN messages AS m ON m.customer_id = w.customer_id AND m.id = open.message_id
       AND m.kind IN ('send', 'ask') AND w.channel IN ('*', m.channel) AND w.topic IN ('*', m.topic)
      LEFT JOIN unseen AS u ON u.customer_id = m.customer_id AND u.message_id = m.id
     ORDER BY m.customer_id, m.id, no_other_way DESC, w.place
), cancelled AS (
    UPDATE messages AS m SET status = 'withdrawn', reason = :reason, settled_at = :now
      FROM found AS f
     WHERE m.customer_id = f.customer_id AND m.id = f.id AND f.status = 'planned' AND f.no_other_way
    RETURNING m.customer_id, m.id
), no_longer_due AS (
    DELETE FROM dispatch AS d USING cancelled AS c WHERE d.customer_id = c.customer_id AND d.message_id = c.id
), asked_again AS (
    UPDATE dispatch AS d SET due_at = least(d.due_at, :now)
      FROM found AS f
     WHERE d.customer_id = f.customer_id AND d.message_id = f.id AND f.status = 'planned' AND NOT f.no_other_way
), hidden AS (
    UPDATE feed_items AS i SET withdrawn_at = :now
      FROM found AS f WHERE f.unseen AND i.customer_id = f.customer_id AND i.message_id = f.id
), never_shown AS (
    UPDATE messages AS m SET reason = CASE WHEN f.unseen THEN :reason ELSE m.reason END,
           expires_at = CASE WHEN f.status IN ('handing_over', 'uncertain') AND f.channel = ANY(:feeds)
                             THEN CAST(:now AS timestamptz) ELSE m.expires_at END
      FROM found AS f
     WHERE m.customer_id = f.customer_id AND m.id = f.id AND f.status <> 'planned'
       AND (f.unseen OR f.status IN ('handing_over', 'uncertain'))
), told AS (
    INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, lane, data)
    SELECT w.customer_id, nextval('inbox_ids'), 'policy', :now, :now, CAST(:lane AS smallint),
           jsonb_build_object('withdrawn', jsonb_build_object('channel', w.channel, 'topic', w.topic))
      FROM wanted AS w
     WHERE (w.news OR w.customer_id IN (SELECT customer_id FROM cancelled))
       AND EXISTS (SELECT FROM timers AS t WHERE t.customer_id = w.customer_id)
)
SELECT place, playbook, step, channel, status, no_other_way, unseen FROM found ORDER BY customer_id, id
""")

# What the enrollments that hear of it will do, as far as the stored text of their playbook says it plainly: the
# machine ends them, unless the playbook leads elsewhere or speaks to nobody but colleagues and is no promotion.
_ENDING = text("""
SELECT DISTINCT w.place, e.playbook
  FROM unnest(CAST(:customers AS bigint[]), CAST(:channels AS text[]), CAST(:topics AS text[]))
       WITH ORDINALITY AS w(customer_id, channel, topic, place)
  JOIN timers AS t ON t.customer_id = w.customer_id
  JOIN enrollments AS e ON e.customer_id = t.customer_id AND e.id = t.enrollment_id AND e.ended_at IS NULL
  JOIN playbooks AS p ON p.id = e.playbook_id
 WHERE w.channel = '*' AND w.topic IN ('*', p.definition ->> 'topic')
   AND (jsonb_path_exists(p.definition, '$.steps[*][1] ? (exists(@.send) || exists(@.ask))')
        OR NOT p.definition ->> 'topic' = ANY(CAST(:notices AS text[])))
   AND NOT jsonb_path_exists(p.definition, '$.at_any_step[*] ? (@[0] == "opted_out")')
 ORDER BY w.place, e.playbook
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresWithdrawals:
    """Withdrawals, on one connection."""

    connection: Connection

    def lock(self, ids: Collection[int], *, wait: bool) -> list[int]:
        """Lock these customers in id order, in one statement: those that exist; without ``wait`` those that are free.

        Raises Contended when a lock does not come in the time that the connection waits.
        """
        statement = _LOCK if wait else _LOCK_FREE
        return list(self.connection.execute(statement, {"ids": sorted(ids)}).scalars())

    def lock_key(self, key: str) -> int | None:
        """Lock the customer with the product's key, waiting; None for an unknown or erased one."""
        found: int | None = self.connection.execute(_LOCK_KEY, {"key": key}).scalar()
        return found

    def holders(self, ids: Collection[int], now: datetime) -> list[ConsentHolder]:
        """These customers as the ledger needs them, in id order, without the erased. One round trip."""
        values = {"ids": sorted(ids)}
        people, points, consents = ask_all(
            self.connection, [PipelinedQuery(one, values) for one in (_HOLDERS, _POINTS, _CONSENTS)]
        )
        addresses: dict[int, dict[str, str]] = defaultdict(dict)
        for row in points:
            addresses[row.customer_id][row.channel] = row.address
        said: dict[int, list[Any]] = defaultdict(list)
        for row in consents:
            said[row.customer_id].append(as_policies_read(row, now))
        return [
            ConsentHolder(
                customer_id=row.id,
                key=row.key,
                region=row.region,
                addresses=addresses[row.id],
                consents=tuple(said[row.id]),
            )
            for row in people
        ]

    def stop(self, scopes: Sequence[StopScope], now: datetime, *, notices: Collection[str]) -> list[Stopped]:
        """What each withdrawal stops, in the order of ``scopes``; it is stopped with the commit. One round trip.

        Planned messages in its scope are withdrawn, or asked about at once where another channel may be open; unseen
        in-app messages leave the feed; and the enrollments are told. ``notices`` are topics that promote nothing.
        """
        if not scopes:
            return []
        values: dict[str, Any] = {
            "customers": [one.customer_id for one in scopes],
            "channels": [one.channel for one in scopes],
            "topics": [one.topic for one in scopes],
        }
        more = {
            "news": [one.news for one in scopes],
            "now": now,
            "reason": OPTED_OUT,
            "feeds": _feeds(),
            "lane": int(Lane.ANSWERS),
        }
        _, found, ending = ask_all(
            self.connection,
            [
                PipelinedQuery(_BY_KEY, {}),
                PipelinedQuery(_STOP, values | more),
                PipelinedQuery(_ENDING, values | {"notices": sorted(notices)}),
            ],
        )
        messages: dict[int, list[StoppedMessage]] = defaultdict(list)
        for row in found:
            status = _became(row)
            if status is not None:
                messages[row.place].append(
                    StoppedMessage(playbook=row.playbook, step=row.step, channel=row.channel, status=status)
                )
        ended: dict[int, list[str]] = defaultdict(list)
        for row in ending:
            ended[row.place].append(row.playbook)
        return [
            Stopped(messages=tuple(messages[place]), ended_playbooks=tuple(ended[place]))
            for place in range(1, len(scopes) + 1)
        ]


def _became(row: Any) -> StoppedStatus | None:
    if row.status == "planned":
        return "cancelled" if row.no_other_way else None
    if row.unseen:
        return "withdrawn"
    return "on_the_wire" if row.status in ("handing_over", "uncertain") else None


def _feeds() -> list[str]:
    return [row.name for row in channel_table().rows if row.in_feed]
