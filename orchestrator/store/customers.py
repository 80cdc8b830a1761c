"""Customers and accounts by the keys and addresses the outside knows them by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection, select, text

from orchestrator.records.customer import ContactPoint, Customer
from orchestrator.store.sql.pg_arrays import texts
from orchestrator.store.sql.tables import accounts, contact_points, customers


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

_MEMBERS = text("""
    SELECT a.key, c.id FROM accounts AS a JOIN customers AS c ON c.account_id = a.id
    WHERE a.key = ANY(CAST(:keys AS text[])) AND c.erased_at IS NULL ORDER BY c.id""")

_BY_ADDRESS = text("""
    SELECT p.customer_id FROM contact_points AS p JOIN customers AS c ON c.id = p.customer_id
    WHERE p.channel = :channel AND p.address = :address AND c.erased_at IS NULL ORDER BY p.customer_id""")

_TOMBSTONED = text("SELECT key_hash FROM tombstones WHERE key_hash = ANY(CAST(:hashes AS text[]))")


def ensure(
    connection: Connection, keys: Collection[str], now: datetime, *, hash_key: Callable[[str], str]
) -> dict[str, int]:
    """The id of each key, made where it is new. Keys of erased people are not made again: they are not in the
    answer. ``hash_key`` is the keyed hash that erasure left behind. One statement."""
    if not keys:
        return {}
    ordered = list(keys)
    rows = connection.execute(
        _ENSURE, {"keys": texts(ordered), "hashes": texts(hash_key(key) for key in ordered), "now": now}
    )
    return {row.key: row.id for row in rows}


def ensure_accounts(connection: Connection, keys: Collection[str], now: datetime) -> dict[str, int]:
    """The id of each account key, made where it is new. One statement."""
    if not keys:
        return {}
    return {
        row.key: row.id for row in connection.execute(_ENSURE_ACCOUNTS, {"keys": texts(keys), "now": now})
    }


def members(connection: Connection, account_keys: Collection[str]) -> dict[str, list[int]]:
    """The customers of each account, in id order; an unknown or empty account has an empty list. One statement."""
    found: dict[str, list[int]] = {key: [] for key in account_keys}
    if found:
        for row in connection.execute(_MEMBERS, {"keys": texts(account_keys)}):
            found[row.key].append(row.id)
    return found


def by_address(connection: Connection, channel: str, address: str) -> list[int]:
    """Everyone who is reached there, in id order: a phone number may be shared."""
    return list(connection.execute(_BY_ADDRESS, {"channel": channel, "address": address}).scalars())


def tombstoned(connection: Connection, hashes: Collection[str]) -> set[str]:
    """Which of these keyed hashes, of keys or addresses, belong to erased people."""
    if not hashes:
        return set()
    return set(connection.execute(_TOMBSTONED, {"hashes": texts(hashes)}).scalars())
