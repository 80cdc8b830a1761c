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

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from orchestrator.core.consent.scope import IMPLIED
from orchestrator.records.consent import Consent, ConsentEntry, ConsentRow, NewConsentRow
from orchestrator.store.restoring.withdrawal_log import WithdrawalLog
from orchestrator.store.restoring.withdrawals import WithdrawalWriter
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import consent_ledger, consents

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

_COLUMNS = tuple(field.name for field in fields(ConsentRow))  # those of the ledger, its id and hash aside

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


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresConsents:
    """The ledger and the state, on one connection. ``hash_key`` makes the keyed hash that stays of an address."""

    connection: Connection
    hash_key: Callable[[str], str]
    log: WithdrawalLog | None = None

    def append(self, rows: Sequence[NewConsentRow]) -> set[tuple[int, str]]:
        """Append ledger rows and derive the state of their customers, whose locks the caller holds.

        A row whose (customer_id, source_id) is there already is left out; given back are the pairs that were new. Two
        statements, whatever the number of rows, and one more where withdrawals are logged.
        """
        new = _append(self.connection, [self._sealed(row) for row in rows])
        writer = WithdrawalWriter(connection=self.connection, hash_key=self.hash_key, log=self.log)
        writer.withdrawn([row for row in rows if (row.customer_id, row.source_id) in new])
        return new

    def said(self, customer_id: int, now: datetime) -> list[Consent]:
        """The present state as policies read it."""
        rows = self.connection.execute(select(consents).where(consents.c.customer_id == customer_id))
        return [as_policies_read(row, now) for row in rows]

    def history(self, customer_id: int) -> list[ConsentEntry]:
        """Every ledger row of one customer, in the order in which they were said."""
        order = (consent_ledger.c.occurred_at, consent_ledger.c.id)
        rows = self.connection.execute(
            select(consent_ledger).where(consent_ledger.c.customer_id == customer_id).order_by(*order)
        )
        return [ConsentEntry(**row) for row in rows.mappings()]

    def expire(self, now: datetime, *, limit: int) -> int:
        """Write an ``expired`` row for up to ``limit`` grants whose time is over, and lock their customers before; how
        many. Customers locked elsewhere are left for another time. Four statements."""
        ids = list(self.connection.execute(_CLAIM_EXPIRED, {"now": now, "limit": limit}).scalars())
        if not ids:
            return 0
        over = self.connection.execute(_EXPIRED, {"customer_ids": ids, "now": now}).all()
        return len(_append(self.connection, [_expired(row, now) for row in over]))

    def _sealed(self, row: NewConsentRow) -> dict[str, Any]:
        columns = {name: getattr(row, name) for name in _COLUMNS}
        return columns | {"address_hash": self.hash_key(row.address) if row.address else None}


def present(connection: Connection, customer_id: int) -> list[Consent]:
    """What one customer's consents are now, by channel and topic, ended grants that were not swept yet included."""
    rows = connection.execute(
        select(consents)
        .where(consents.c.customer_id == customer_id)
        .order_by(consents.c.channel, consents.c.topic)
    )
    return [_as_stored(row) for row in rows]


def as_policies_read(row: Row[Any], now: datetime) -> Consent:
    """A stored row at ``now``. A grant that is over gives way to the withdrawal before it, swept or not."""
    over = row.granted and row.expires_at is not None and row.expires_at <= now
    if over and row.withdrawn_since is not None:
        return Consent(
            channel=row.channel, topic=row.topic, granted=False, basis="express", since=row.withdrawn_since
        )
    return _as_stored(row)


def rebuild(connection: Connection, customer_ids: Collection[int]) -> None:
    """Derive the present state of these customers from the ledger. One statement."""
    if customer_ids:
        connection.execute(_REBUILD, {"customer_ids": sorted(customer_ids)})


def _append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    written = insert_rows(
        connection,
        consent_ledger,
        rows,
        on_conflict="nothing",
        conflict_columns=("customer_id", "source_id"),
        returning=("customer_id", "source_id"),
    )
    new = {(row.customer_id, row.source_id) for row in written}
    rebuild(connection, {customer_id for customer_id, _ in new})
    return new


def _expired(row: Row[Any], now: datetime) -> dict[str, Any]:
    over = ConsentRow(
        customer_id=row.customer_id,
        source_id=f"expired:{row.ledger_id}",
        action="expired",
        channel=row.channel,
        topic=row.topic,
        basis=row.basis,
        method="expiry",
        source=f"ledger row {row.ledger_id}",
        sender=row.sender,
        jurisdiction=row.jurisdiction,
        actor="system",
        occurred_at=row.expires_at,
        recorded_at=now,
    )
    return {name: getattr(over, name) for name in _COLUMNS} | {"address_hash": row.address_hash}


def _as_stored(row: Row[Any]) -> Consent:
    return Consent(
        channel=row.channel,
        topic=row.topic,
        granted=row.granted,
        basis=row.basis,
        since=row.since,
        expires_at=row.expires_at,
    )
