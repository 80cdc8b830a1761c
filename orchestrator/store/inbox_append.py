"""Appends what comes from outside to the inbox, each fact once, and finds whom it is about: no customer is locked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from orchestrator.records.intake import InboxItem
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.pg_arrays import texts
from orchestrator.store.sql.tables import enrollments, inbox, seen_sources

_NEXT_IDS = text("SELECT nextval('inbox_ids') AS id FROM generate_series(1, :count) ORDER BY id")
_COLLEAGUES = text("""
SELECT mine.id AS customer_id, other.id AS colleague FROM customers mine
  JOIN customers other ON other.account_id = mine.account_id AND other.id <> mine.id AND other.erased_at IS NULL
 WHERE mine.id = ANY(:ids) ORDER BY mine.id, other.id
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
_BY_PROVIDER_ID = text("""
SELECT wanted.given, p.customer_id, p.message_id
  FROM unnest(CAST(:given AS text[])) AS wanted(given)
  JOIN provider_ids p ON p.provider_id IN (wanted.given, split_part(wanted.given, '.', 1))
""")
_LAST_MESSAGES = text("""
SELECT DISTINCT ON (customer_id) customer_id, id FROM messages
 WHERE customer_id = ANY(:ids) AND channel = :channel AND handed_at IS NOT NULL
 ORDER BY customer_id, handed_at DESC, id DESC
""")
_AFTER = text("SELECT id FROM customers WHERE id > :after AND erased_at IS NULL ORDER BY id LIMIT :limit")
_ASK_ANEW = text("""
INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)
SELECT customer_id, nextval('inbox_ids'), 'policy', :now, :now, '{}'
  FROM (SELECT DISTINCT customer_id FROM dispatch WHERE due_at > :now ORDER BY customer_id) AS waiting
""")


def append(connection: Connection, items: Sequence[InboxItem], now: datetime) -> int:
    """Append to the inbox what its customer has not seen yet by source id; how many were new. Three statements."""
    if not items:
        return 0
    first: dict[tuple[int, str], InboxItem] = {}
    for item in items:
        first.setdefault((item.customer_id, item.source_id), item)
    new = {
        (row.customer_id, row.source_id)
        for row in insert_rows(
            connection,
            seen_sources,
            [{"customer_id": key[0], "source_id": key[1], "received_at": now} for key in sorted(first)],
            on_conflict="nothing",
            returning=("customer_id", "source_id"),
        )
    }
    taken = [item for key, item in first.items() if key in new]
    if not taken:
        return 0
    ids = connection.execute(_NEXT_IDS, {"count": len(taken)}).scalars()
    insert_rows(
        connection,
        inbox,
        [
            {
                "customer_id": item.customer_id,
                "id": inbox_id,
                "kind": item.kind,
                "occurred_at": min(item.occurred_at, now),
                "received_at": now,
                "data": dict(item.data),
            }
            for item, inbox_id in zip(taken, ids, strict=True)
        ],
    )
    return len(taken)


def ask_anew(connection: Connection, now: datetime) -> None:
    """Tell everybody for whom a message waits that the account has another policy. One statement."""
    connection.execute(_ASK_ANEW, {"now": now})


def colleagues(connection: Connection, customer_ids: Collection[int]) -> dict[int, list[int]]:
    """The other members of each customer's account."""
    found: dict[int, list[int]] = defaultdict(list)
    if customer_ids:
        for row in connection.execute(_COLLEAGUES, {"ids": sorted(customer_ids)}):
            found[row.customer_id].append(row.colleague)
    return found


def merge_accounts(connection: Connection, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Merge traits into accounts; a trait of None is removed. Accounts are updated in id order, later rows win."""
    merged: dict[int, dict[str, Any]] = {}
    for account_id, traits in rows:
        merged.setdefault(account_id, {}).update(traits)
    if merged:
        ids = sorted(merged)
        connection.execute(
            _MERGE_ACCOUNTS, {"ids": ids, "traits": [json.dumps(merged[account_id]) for account_id in ids]}
        )


def by_address(
    connection: Connection, pairs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[int]]:
    """Everyone reached at each (channel, address): a number may be shared."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    if pairs:
        ordered = sorted(pairs)
        values = {
            "channels": texts(pair[0] for pair in ordered),
            "addresses": texts(pair[1] for pair in ordered),
        }
        for row in connection.execute(_BY_ADDRESS, values):
            found[row.channel, row.address].append(row.customer_id)
    return found


def by_provider_id(connection: Connection, provider_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """(customer, message) of each id a provider gave; some lengthen the id they gave at first after a dot."""
    if not provider_ids:
        return {}
    rows = connection.execute(_BY_PROVIDER_ID, {"given": texts(sorted(provider_ids))})
    return {row.given: (row.customer_id, row.message_id) for row in rows}


def last_messages(connection: Connection, customer_ids: Collection[int], channel: str) -> dict[int, int]:
    """The message of each customer that was handed over last on ``channel``."""
    if not customer_ids:
        return {}
    rows = connection.execute(_LAST_MESSAGES, {"ids": sorted(customer_ids), "channel": channel})
    return {row.customer_id: row.id for row in rows}


def started_by_key(connection: Connection, customer_id: int, playbook: str, key: str) -> int | None:
    """The enrollment an idempotency key led to before."""
    found: int | None = connection.execute(
        select(enrollments.c.id).where(
            enrollments.c.customer_id == customer_id,
            enrollments.c.playbook == playbook,
            enrollments.c.start_key == key,
        )
    ).scalar()
    return found


def customers_after(connection: Connection, customer_id: int, *, limit: int) -> list[int]:
    """The next customers in id order, erased ones left out."""
    return list(connection.execute(_AFTER, {"after": customer_id, "limit": limit}).scalars())
