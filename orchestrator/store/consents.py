"""The consent ledger and the present state derived from it.

The ledger is only ever appended to. The present state holds one row for each exact pair of channel and topic (either
may be ``*``). Which of several pairs decides about one message is the business of
:mod:`orchestrator.core.consent.scope`. Within a pair:

* a withdrawal stands until an express grant *later* than the latest withdrawal; an implied grant never takes it back;
* among the grants an express one goes before an implied one, then the latest;
* an ``expired`` row ends the grants whose time was over by then, and nothing else: a withdrawal never expires.

*Later* is by when it was said, never later than when it was recorded; at the same instant the withdrawal wins.
A grant that ends by itself remembers since when the pair was withdrawn before it: then that stands again.
"""

# ruff: noqa: S608 - every text is made of constants

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from orchestrator.core.consent.scope import IMPLIED
from orchestrator.records.consent import Consent, ConsentEntry
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import consent_ledger, consents

_OPTIONAL: dict[str, Any] = {
    "address_hash": None,
    "wording": None,
    "wording_locale": None,
    "wording_version": None,
    "wording_hash": None,
    "sender": None,
    "jurisdiction": None,
    "evidence": {},
    "expires_at": None,
}

_FOLDED = f"""
    WITH said AS (
        SELECT customer_id, channel, topic, id, action, basis, expires_at, least(occurred_at, recorded_at) AS since,
               basis NOT IN ({", ".join(f"'{basis}'" for basis in sorted(IMPLIED))}) AS express
        FROM consent_ledger WHERE {{whose}}
    ), taken_back AS (
        SELECT DISTINCT ON (customer_id, channel, topic) * FROM said WHERE action IN ('revoked', 'erased')
        ORDER BY customer_id, channel, topic, since DESC, id DESC
    ), expired AS (
        SELECT customer_id, channel, topic, max(since) AS at FROM said WHERE action = 'expired'
        GROUP BY customer_id, channel, topic
    ), given AS (
        SELECT DISTINCT ON (s.customer_id, s.channel, s.topic) s.*, t.since AS withdrawn_since
        FROM said AS s
        LEFT JOIN taken_back AS t USING (customer_id, channel, topic)
        LEFT JOIN expired AS e USING (customer_id, channel, topic)
        WHERE s.action IN ('granted', 'confirmed') AND (t.id IS NULL OR (s.express AND s.since > t.since))
          AND (s.expires_at IS NULL OR e.at IS NULL OR s.expires_at > e.at)
        ORDER BY s.customer_id, s.channel, s.topic, s.express DESC, s.since DESC, s.id DESC
    ), folded AS (
        SELECT customer_id, channel, topic, true AS granted, basis, id AS ledger_id, since, expires_at, withdrawn_since
        FROM given
        UNION ALL
        SELECT customer_id, channel, topic, false, basis, id, since, NULL, NULL FROM taken_back AS t
        WHERE NOT EXISTS (SELECT FROM given AS g
            WHERE (g.customer_id, g.channel, g.topic) = (t.customer_id, t.channel, t.topic))
    )"""
EVERYONE_FOLDED = _FOLDED.format(whose="true")
"""SQL that ends in a table ``folded``: what the present state of everybody must be."""

# Delete and upsert touch different rows, so both may stand in one statement.
_REBUILD = text(
    _FOLDED.format(whose="customer_id = ANY(CAST(:customer_ids AS bigint[]))")
    + """, gone AS (
        DELETE FROM consents AS s
        WHERE s.customer_id = ANY(CAST(:customer_ids AS bigint[])) AND NOT EXISTS (
            SELECT FROM folded AS f WHERE (f.customer_id, f.channel, f.topic) = (s.customer_id, s.channel, s.topic))
    )
    INSERT INTO consents AS s
        (customer_id, channel, topic, granted, basis, ledger_id, since, expires_at, withdrawn_since)
    SELECT customer_id, channel, topic, granted, basis, ledger_id, since, expires_at, withdrawn_since FROM folded
    ON CONFLICT (customer_id, channel, topic) DO UPDATE
    SET granted = EXCLUDED.granted, basis = EXCLUDED.basis, ledger_id = EXCLUDED.ledger_id, since = EXCLUDED.since,
        expires_at = EXCLUDED.expires_at, withdrawn_since = EXCLUDED.withdrawn_since
    WHERE (s.ledger_id, s.withdrawn_since) IS DISTINCT FROM (EXCLUDED.ledger_id, EXCLUDED.withdrawn_since)"""
)

_CLAIM_EXPIRED = text("""
    WITH due AS MATERIALIZED (
        SELECT DISTINCT customer_id FROM (
            SELECT customer_id FROM consents WHERE granted AND expires_at <= :now ORDER BY expires_at LIMIT :limit) AS d
    )
    SELECT c.id FROM customers AS c WHERE c.id IN (SELECT customer_id FROM due)
     ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED""")
_EXPIRED = text("""
    SELECT s.customer_id, s.channel, s.topic, s.basis, s.ledger_id, s.expires_at, l.sender, l.jurisdiction,
           l.address_hash
    FROM consents AS s JOIN consent_ledger AS l ON l.customer_id = s.customer_id AND l.id = s.ledger_id
    WHERE s.customer_id = ANY(CAST(:customer_ids AS bigint[])) AND s.granted AND s.expires_at <= :now""")


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    """Append ledger rows and derive the state of their customers, whose locks the caller holds.

    A row whose (customer_id, source_id) is there already is left out; given back are the pairs that were new. Columns
    of the ledger that may be empty may be left out. Two statements, whatever the number of rows.
    """
    complete = [_OPTIONAL | dict(row) for row in rows]
    written = insert_rows(
        connection,
        consent_ledger,
        complete,
        on_conflict="nothing",
        conflict_columns=("customer_id", "source_id"),
        returning=("customer_id", "source_id"),
    )
    new = {(row.customer_id, row.source_id) for row in written}
    rebuild(connection, {customer_id for customer_id, _ in new})
    return new


def rebuild(connection: Connection, customer_ids: Collection[int]) -> None:
    """Derive the present state of these customers from the ledger. One statement."""
    if customer_ids:
        connection.execute(_REBUILD, {"customer_ids": sorted(customer_ids)})


def present(connection: Connection, customer_id: int) -> list[Consent]:
    """What one customer's consents are now, by channel and topic."""
    rows = connection.execute(
        select(consents)
        .where(consents.c.customer_id == customer_id)
        .order_by(consents.c.channel, consents.c.topic)
    )
    return [
        Consent(
            channel=row.channel,
            topic=row.topic,
            granted=row.granted,
            basis=row.basis,
            since=row.since,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def as_said(connection: Connection, customer_id: int, now: datetime) -> list[Consent]:
    """The present state as policies read it."""
    rows = connection.execute(select(consents).where(consents.c.customer_id == customer_id))
    return [as_policies_read(row, now) for row in rows]


def as_policies_read(row: Row[Any], now: datetime) -> Consent:
    """A stored row at ``now``. A grant that is over gives way to the withdrawal before it, swept or not."""
    over = row.granted and row.expires_at is not None and row.expires_at <= now
    if over and row.withdrawn_since is not None:
        return Consent(
            channel=row.channel, topic=row.topic, granted=False, basis="express", since=row.withdrawn_since
        )
    return Consent(
        channel=row.channel,
        topic=row.topic,
        granted=row.granted,
        basis=row.basis,
        since=row.since,
        expires_at=row.expires_at,
    )


def history(connection: Connection, customer_id: int) -> list[ConsentEntry]:
    """Every ledger row of one customer, in the order in which they were said."""
    order = (consent_ledger.c.occurred_at, consent_ledger.c.id)
    rows = connection.execute(
        select(consent_ledger).where(consent_ledger.c.customer_id == customer_id).order_by(*order)
    )
    return [ConsentEntry(**row) for row in rows.mappings()]


def expire(connection: Connection, now: datetime, *, limit: int) -> int:
    """Write an ``expired`` row for up to ``limit`` grants whose time is over, and lock their customers before; how
    many. Customers locked elsewhere are left for another time. Four statements."""
    ids = list(connection.execute(_CLAIM_EXPIRED, {"now": now, "limit": limit}).scalars())
    if not ids:
        return 0
    rows = connection.execute(_EXPIRED, {"customer_ids": ids, "now": now}).all()
    new = append(
        connection,
        [
            {
                "customer_id": row.customer_id,
                "source_id": f"expired:{row.ledger_id}",
                "action": "expired",
                "channel": row.channel,
                "topic": row.topic,
                "basis": row.basis,
                "method": "expiry",
                "source": f"ledger row {row.ledger_id}",
                "sender": row.sender,
                "jurisdiction": row.jurisdiction,
                "address_hash": row.address_hash,
                "actor": "system",
                "occurred_at": row.expires_at,
                "recorded_at": now,
            }
            for row in rows
        ],
    )
    return len(new)
