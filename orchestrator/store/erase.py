"""Erasure: everything personal about one customer goes, the counts stay.

The row itself is blanked and kept, so that numbers still add up; its key becomes a name nobody can be recognised by.
Tombstones hold only keyed hashes, against which a re-import is checked. Nothing is read that could be unreadable:
enrollments are ended and messages settled by their plain columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from channels.table import channel_table
from orchestrator.core.machine.reasons import run_ended
from orchestrator.errors import NotFound
from orchestrator.records.erasure import SentSummary
from orchestrator.store.restoring.withdrawal_log import WithdrawalLog
from orchestrator.store.restoring.withdrawals import WithdrawalWriter
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import tombstones

ERASED_KEY = "erased:"


# Survey answers and called functions' answers may name a person, and an offer may quote a region; steps, visits,
# words and instants do not. `because` quotes attributes, and a context is whatever the product sent.
_SQL = """
    DELETE FROM contact_points WHERE customer_id = :id;
    UPDATE signals SET properties = '{}' WHERE customer_id = :id AND properties <> '{}';
    DELETE FROM inbox WHERE customer_id = :id;
    DELETE FROM seen_sources WHERE customer_id = :id;
    DELETE FROM api_requests WHERE body ->> 'customer' = (SELECT key FROM customers WHERE id = :id);
    UPDATE feed_items SET content = '{}', withdrawn_at = coalesce(withdrawn_at, :now) WHERE customer_id = :id;
    UPDATE sandbox_inbox SET content = '{}' WHERE customer_id = :id;
    UPDATE enrollments SET context = '{}', because = NULL, start_key = NULL, missed = NULL,
        state = CASE jsonb_typeof(state) WHEN 'object' THEN state ELSE '{}' END || jsonb_build_object(
        'answers', '{}'::jsonb, 'saved', '{}'::jsonb, 'offers', '{}'::jsonb) WHERE customer_id = :id;
    UPDATE journal SET data = data - '{answers,saved,offers}'::text[]
        WHERE customer_id = :id AND data ?| '{answers,saved,offers}'::text[];
    UPDATE messages SET address_hash = NULL WHERE customer_id = :id AND address_hash IS NOT NULL;
    UPDATE receipts SET data = '{}' WHERE customer_id = :id AND data <> '{}';
    UPDATE refusals SET detail = '{}' WHERE customer_id = :id AND detail <> '{}';
    UPDATE messages SET address_hash = NULL WHERE customer_id = :id AND address_hash IS NOT NULL;
    UPDATE consent_ledger SET address_hash = NULL, evidence = '{}' WHERE customer_id = :id;
    DELETE FROM parked WHERE customer_id = :id;
    UPDATE customers SET key = :erased_key, account_id = NULL, attributes = '{}', tags = '{}', timezone = NULL,
        timezone_source = NULL, locale = NULL, region = NULL, last_seen_at = NULL,
        erased_at = coalesce(erased_at, :now), updated_at = :now WHERE id = :id"""
_ERASE = tuple(text(sql.strip()) for sql in _SQL.split(";"))

# Plain columns are written without a look at the state: one that cannot be read is ended no less.
_SILENCE = (
    text("""
    WITH settled AS (
        UPDATE messages SET status = 'withdrawn', reason = :reason, settled_at = :now
         WHERE customer_id = :id AND status = 'planned' RETURNING id
    ), hidden AS (
        UPDATE feed_items SET withdrawn_at = :now WHERE customer_id = :id AND withdrawn_at IS NULL RETURNING message_id
    ), never_shown AS (
        UPDATE messages AS m
           SET expires_at = :now, reason = CASE WHEN status = 'sent' THEN :reason ELSE reason END
         WHERE customer_id = :id AND (id IN (SELECT message_id FROM hidden)
               OR status IN ('handing_over', 'uncertain') AND channel = ANY(CAST(:feeds AS text[])))
    )
    DELETE FROM dispatch WHERE customer_id = :id AND message_id IN (SELECT id FROM settled)
    """),
    text("""
    WITH ended AS (
        UPDATE enrollments SET ended_at = :now, end_status = :outcome, rev = rev + 1,
               state = CASE jsonb_typeof(state) WHEN 'object' THEN state ELSE '{}' END || CAST(:ended AS jsonb)
         WHERE customer_id = :id AND ended_at IS NULL RETURNING id, step, visit
    ), untimed AS (
        DELETE FROM timers WHERE customer_id = :id
    )
    INSERT INTO journal (customer_id, enrollment_id, seq, at, event, step, visit, outcome, data)
    SELECT :id, e.id, last.seq + 1, :now, 'ended', e.step, e.visit, :outcome, CAST(:ended AS jsonb)
      FROM ended AS e CROSS JOIN LATERAL (
           SELECT coalesce(max(j.seq), 0) AS seq FROM journal AS j
            WHERE j.customer_id = :id AND j.enrollment_id = e.id) AS last
    """),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresErasure:
    """Forgetting customers, on one connection. ``hash_key`` is the keyed hash that keeps them out."""

    connection: Connection
    hash_key: Callable[[str], str]
    log: WithdrawalLog | None = None

    def lock(self, customer_id: int) -> list[int]:
        """Take the customer for erasure. ``FOR UPDATE``: nobody reads under a lock of their own meanwhile.

        Raises NotFound.
        """
        found = self.connection.scalar(
            text("SELECT id FROM customers WHERE id = :id FOR UPDATE"), {"id": customer_id}
        )
        if found is None:
            raise NotFound("customer", str(customer_id))
        return [customer_id]

    def silence(self, customer_id: int, now: datetime, *, ended: Mapping[str, Any]) -> None:
        """Settle everything planned for a locked customer, empty the feed, end every enrollment. Two statements.

        ``ended`` is the part of a state that says so. Again: changes nothing.
        """
        values = {
            "id": customer_id,
            "now": now,
            "reason": run_ended(ended["end_status"]),
            "outcome": ended["end_status"],
            "ended": json.dumps(ended),
            "feeds": [row.name for row in channel_table().rows if row.in_feed],
        }
        self._run(_SILENCE, values)

    def identities_of(self, customer_id: int) -> tuple[str, ...]:
        """The key and every address of a locked customer: what a tombstone is needed for, as keyed hashes."""
        found = self.connection.execute(
            text(
                "SELECT key FROM customers WHERE id = :id UNION ALL"
                " (SELECT DISTINCT address FROM contact_points WHERE customer_id = :id ORDER BY address)"
            ),
            {"id": customer_id},
        )
        return tuple(found.scalars())

    def sent_to(self, customer_id: int) -> list[SentSummary]:
        """By channel and provider, everything that was handed over about the customer."""
        rows = self.connection.execute(
            text(
                "SELECT channel, provider,"
                " array_remove(array_agg(DISTINCT provider_id ORDER BY provider_id), NULL) AS ids"
                " FROM messages WHERE customer_id = :id AND handed_at IS NOT NULL AND provider IS NOT NULL"
                " AND status <> 'held_out' GROUP BY channel, provider ORDER BY channel, provider"
            ),
            {"id": customer_id},
        )
        return [
            SentSummary(channel=row.channel, provider=row.provider, provider_ids=tuple(row.ids))
            for row in rows
        ]

    def addresses_of(self, customer_id: int) -> dict[str, str]:
        rows = self.connection.execute(
            text("SELECT channel, address FROM contact_points WHERE customer_id = :id"), {"id": customer_id}
        )
        return {row.channel: row.address for row in rows}

    def erase(self, customer_id: int, now: datetime, *, identities: Collection[str]) -> None:
        """Blank everything personal. Of ``identities`` (see :meth:`identities_of`) keyed hashes stay.

        Again: changes nothing. A fixed number of statements. What was handed to a provider cannot be recalled here.
        """
        writer = WithdrawalWriter(connection=self.connection, hash_key=self.hash_key, log=self.log)
        writer.erased([one for one in identities if not one.startswith(ERASED_KEY)], now)
        values = {"id": customer_id, "now": now, "erased_key": f"{ERASED_KEY}{customer_id}"}
        self._run(_ERASE, values)
        buried: Sequence[dict[str, object]] = [
            {"key_hash": value, "erased_at": now}
            for value in sorted({self.hash_key(identity) for identity in identities})
        ]
        insert_rows(self.connection, tombstones, buried, on_conflict="nothing")

    def _run(self, statements: Sequence[TextClause], values: Mapping[str, Any]) -> None:
        for statement in statements:
            used = {name: value for name, value in values.items() if name in statement.compile().params}
            self.connection.execute(statement, used)
