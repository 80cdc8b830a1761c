"""Customers and accounts by the keys and addresses the outside knows them by."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from orchestrator.errors import NotFound
from orchestrator.records.customer import ContactPoint, Customer
from orchestrator.store.sql.pg_arrays import texts
from orchestrator.store.sql.tables import accounts, contact_points, customers

# The conflict can only be with a row that another transaction wrote after this statement began; setting the key to
# itself is what makes RETURNING give its id. The order keeps two such statements from waiting for each other.
_ENSURE = text("""
    WITH given AS (
        SELECT DISTINCT key, hash FROM unnest(CAST(:keys AS text[]), CAST(:hashes AS text[])) AS g(key, hash)
    ), known AS (
        SELECT c.id, c.key FROM customers AS c JOIN given USING (key)
    ), made AS (
        INSERT INTO customers (key, created_at, updated_at)
        SELECT key, :now, :now FROM given
        WHERE NOT EXISTS (SELECT FROM known WHERE known.key = given.key)
          AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.key_hash = given.hash)
        ORDER BY key
        ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key
        RETURNING id, key
    )
    SELECT id, key FROM known UNION ALL SELECT id, key FROM made""")

_ENSURE_ACCOUNTS = text("""
    WITH given AS (
        SELECT DISTINCT key FROM unnest(CAST(:keys AS text[])) AS g(key)
    ), known AS (
        SELECT a.id, a.key FROM accounts AS a JOIN given USING (key)
    ), made AS (
        INSERT INTO accounts (key, created_at)
        SELECT key, :now FROM given WHERE NOT EXISTS (SELECT FROM known WHERE known.key = given.key)
        ORDER BY key
        ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key
        RETURNING id, key
    )
    SELECT id, key FROM known UNION ALL SELECT id, key FROM made""")

# Members are also those whose inbox says so: who joined in the flush that speaks of the account now.
_MEMBERS = text("""
SELECT a.key, c.id FROM accounts AS a
 CROSS JOIN LATERAL (
       SELECT id FROM customers WHERE account_id = a.id
       UNION
       SELECT customer_id FROM inbox
        WHERE data ? 'account_id' AND data->>'account_id' = CAST(a.id AS text)) AS m
 CROSS JOIN LATERAL (SELECT id FROM customers WHERE id = m.id AND erased_at IS NULL OFFSET 0) AS c
 WHERE a.key = ANY(CAST(:keys AS text[])) ORDER BY c.id
""")
_COLLEAGUES = text("""
SELECT mine.id AS customer_id, other.id AS colleague
  FROM unnest(CAST(:ids AS bigint[])) AS mine(id)
 CROSS JOIN LATERAL (
       SELECT coalesce((SELECT CAST(data->>'account_id' AS bigint) FROM inbox
                         WHERE customer_id = mine.id AND data ? 'account_id' ORDER BY id DESC LIMIT 1),
                       (SELECT account_id FROM customers WHERE id = mine.id)) AS id OFFSET 0) AS account
 CROSS JOIN LATERAL (
       SELECT id FROM customers WHERE account_id = account.id
       UNION
       SELECT customer_id FROM inbox
        WHERE data ? 'account_id' AND data->>'account_id' = CAST(account.id AS text)) AS m
 CROSS JOIN LATERAL (SELECT id FROM customers WHERE id = m.id AND erased_at IS NULL OFFSET 0) AS other
 WHERE other.id <> mine.id ORDER BY mine.id, other.id
""")
_MERGE_ACCOUNTS = text("""
UPDATE accounts a SET attributes = jsonb_strip_nulls(a.attributes || u.traits)
  FROM unnest(CAST(:ids AS bigint[]), CAST(:traits AS jsonb[])) AS u(id, traits) WHERE a.id = u.id
""")
_BY_ADDRESS = text("""
SELECT p.channel, p.address, p.customer_id
  FROM unnest(CAST(:channels AS text[]), CAST(:addresses AS text[])) AS wanted(channel, address)
  JOIN contact_points p USING (channel, address) JOIN customers c ON c.id = p.customer_id AND c.erased_at IS NULL
 ORDER BY p.customer_id
""")
_KNOWN = text("SELECT id FROM customers WHERE id = ANY(:ids) AND erased_at IS NULL")
_AFTER = text("SELECT id FROM customers WHERE id > :after AND erased_at IS NULL ORDER BY id LIMIT :limit")
_TOMBSTONED = text("SELECT key_hash FROM tombstones WHERE key_hash = ANY(CAST(:hashes AS text[]))")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresCustomers:
    """Everybody the product speaks of, on one connection. ``hash_key`` is the keyed hash that erasure leaves behind."""

    connection: Connection
    hash_key: Callable[[str], str]

    def ensure(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        """The id of each key, made where it is new. Keys of erased people are not made again: they are not in the
        answer. One statement."""
        if not keys:
            return {}
        ordered = list(keys)
        hashes = texts(self.hash_key(key) for key in ordered)
        rows = self.connection.execute(_ENSURE, {"keys": texts(ordered), "hashes": hashes, "now": now})
        return {row.key: row.id for row in rows}

    def ensure_accounts(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        """The id of each account's key, made where it is new. One statement."""
        if not keys:
            return {}
        rows = self.connection.execute(_ENSURE_ACCOUNTS, {"keys": texts(keys), "now": now})
        return {row.key: row.id for row in rows}

    def find(self, key: str) -> int:
        """The id. Raises NotFound, also for an erased one."""
        found = find(self.connection, key)
        if found is None:
            raise NotFound("customer", key)
        return found.id

    def key_of(self, customer_id: int) -> str:
        """The product's key. Raises NotFound, also for an erased one."""
        key: str | None = self.connection.execute(
            select(customers.c.key).where(customers.c.id == customer_id, customers.c.erased_at.is_(None))
        ).scalar()
        if key is None:
            raise NotFound("customer", str(customer_id))
        return key

    def known(self, customer_ids: Collection[int]) -> set[int]:
        """Which of these ids are customers that were not erased. One statement."""
        if not customer_ids:
            return set()
        return set(self.connection.execute(_KNOWN, {"ids": sorted(customer_ids)}).scalars())

    def reader(self, customer_id: int) -> tuple[str, str | None]:
        """The key and the locale. Raises NotFound, also for an erased one."""
        found = self.connection.execute(
            select(customers.c.key, customers.c.locale).where(
                customers.c.id == customer_id, customers.c.erased_at.is_(None)
            )
        ).first()
        if found is None:
            raise NotFound("customer", str(customer_id))
        return found.key, found.locale

    def region_of(self, customer_id: int) -> str | None:
        region: str | None = self.connection.execute(
            select(customers.c.region).where(customers.c.id == customer_id)
        ).scalar()
        return region

    def forgotten(self, identities: Collection[str]) -> set[str]:
        """Which of these keys and addresses belong to erased people."""
        hashes = {self.hash_key(identity): identity for identity in identities}
        if not hashes:
            return set()
        rows = self.connection.execute(_TOMBSTONED, {"hashes": texts(hashes)}).scalars()
        return {hashes[found] for found in rows}

    def members(self, account_keys: Collection[str]) -> dict[str, list[int]]:
        """The customers of each account, in id order; an unknown or empty account has an empty list. One statement."""
        found: dict[str, list[int]] = {key: [] for key in account_keys}
        if found:
            for row in self.connection.execute(_MEMBERS, {"keys": texts(account_keys)}):
                found[row.key].append(row.id)
        return found

    def colleagues(self, customer_ids: Collection[int]) -> dict[int, list[int]]:
        """The other members of each customer's account."""
        found: dict[int, list[int]] = defaultdict(list)
        if customer_ids:
            for row in self.connection.execute(_COLLEAGUES, {"ids": sorted(customer_ids)}):
                found[row.customer_id].append(row.colleague)
        return found

    def merge_accounts(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Merge traits into accounts; a trait of None is removed. Accounts are updated in id order, later rows win."""
        merged: dict[int, dict[str, Any]] = {}
        for account_id, traits in rows:
            merged.setdefault(account_id, {}).update(traits)
        if merged:
            ids = sorted(merged)
            values = {"ids": ids, "traits": [json.dumps(merged[account_id]) for account_id in ids]}
            self.connection.execute(_MERGE_ACCOUNTS, values)

    def by_address(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
        """Everyone reached at each (channel, address), in id order: a number may be shared."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        if pairs:
            ordered = sorted(pairs)
            values = {
                "channels": texts(pair[0] for pair in ordered),
                "addresses": texts(pair[1] for pair in ordered),
            }
            for row in self.connection.execute(_BY_ADDRESS, values):
                found[row.channel, row.address].append(row.customer_id)
        return found

    def after(self, customer_id: int, *, limit: int) -> list[int]:
        """The next customers in id order, erased ones left out."""
        return list(self.connection.execute(_AFTER, {"after": customer_id, "limit": limit}).scalars())


def find(connection: Connection, key: str) -> Customer | None:
    """The customer with the product's key; None for an unknown or erased one. Two statements."""
    row = connection.execute(
        select(
            customers, accounts.c.key.label("account_key"), accounts.c.attributes.label("account_attributes")
        )
        .outerjoin(accounts, accounts.c.id == customers.c.account_id)
        .where(customers.c.key == key, customers.c.erased_at.is_(None))
    ).first()
    if row is None:
        return None
    points = connection.execute(
        select(contact_points)
        .where(contact_points.c.customer_id == row.id)
        .order_by(contact_points.c.channel)
    )
    return Customer(
        id=row.id,
        key=row.key,
        account_id=row.account_id,
        account_key=row.account_key,
        attributes=row.attributes,
        account_attributes=row.account_attributes or {},
        tags=tuple(row.tags),
        timezone=row.timezone,
        timezone_source=row.timezone_source,
        locale=row.locale,
        region=row.region,
        last_seen_at=row.last_seen_at,
        erased_at=row.erased_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        contact_points=tuple(
            ContactPoint(
                channel=point.channel,
                address=point.address,
                source=point.source,
                invalid_reason=point.invalid_reason,
            )
            for point in points
        ),
    )
