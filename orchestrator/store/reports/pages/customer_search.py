"""Finds customers for a list."""

# ruff: noqa: S608 - constants of this file

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from channels.table import channel_names


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCustomer:
    """A customer in a list."""

    key: str
    account: str | None
    live: int
    messages: int
    last_at: datetime


def find_customers(connection: Connection, wanted: str, *, most: int = 50) -> list[FoundCustomer]:
    """By the beginning of the key or of the account's key, or by a whole address; empty: those who came last.

    Each way goes along an index and ends after ``most``, however many customers there are.
    """
    values = {"from": wanted, "to": f"{wanted}\U0010ffff", "address": wanted, "lower": wanted.lower()}
    statement = _FIND if wanted else _LAST
    known = {**values, "channels": list(channel_names())} if wanted else {}
    return [FoundCustomer(**row._mapping) for row in connection.execute(statement, {**known, "most": most})]  # noqa: SLF001


_SHOWN = """
    SELECT c.key, a.key AS account,
           (SELECT count(*) FROM timers AS t WHERE t.customer_id = c.id) AS live,
           (SELECT count(*) FROM messages AS m WHERE m.customer_id = c.id) AS messages,
           c.updated_at AS last_at
    FROM found
    CROSS JOIN LATERAL (SELECT * FROM customers WHERE id = found.id AND erased_at IS NULL OFFSET 0) AS c
    LEFT JOIN accounts AS a ON a.id = c.account_id"""

_LAST = text(f"""
    WITH found AS MATERIALIZED (SELECT id FROM customers WHERE erased_at IS NULL ORDER BY id DESC LIMIT :most)
    {_SHOWN} ORDER BY c.id DESC""")

# The operators compare bytes, as the indexes for prefixes do.
_FIND = text(f"""
    WITH found AS MATERIALIZED (
        (SELECT id FROM customers WHERE key ~>=~ :from AND key ~<~ :to ORDER BY key USING ~<~ LIMIT :most)
        UNION
        (SELECT members.id FROM accounts AS a
          CROSS JOIN LATERAL (SELECT id FROM customers WHERE account_id = a.id ORDER BY id LIMIT :most) AS members
          WHERE a.key ~>=~ :from AND a.key ~<~ :to ORDER BY a.key USING ~<~ LIMIT :most)
        UNION
        (SELECT customer_id FROM contact_points
          WHERE channel = ANY(:channels) AND address IN (:address, :lower) LIMIT :most)
    )
    {_SHOWN} ORDER BY c.updated_at DESC, c.id DESC LIMIT :most""")
