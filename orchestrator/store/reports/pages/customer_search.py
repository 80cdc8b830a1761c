"""Finds customers for a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCustomer:
    """A customer in a list."""

    key: str
    account: str | None
    live: int
    messages: int
    last_at: datetime


def find_customers(connection: Connection, wanted: str, *, most: int = 50) -> list[FoundCustomer]:
    """By the beginning of the key or of the account's key, or by a whole address; empty: the last active."""
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = connection.execute(
        _CUSTOMERS, {"all": not wanted, "like": f"{escaped}%", "address": wanted.lower(), "most": most}
    )
    return [FoundCustomer(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


_CUSTOMERS = text("""
    SELECT c.key, a.key AS account,
           (SELECT count(*) FROM timers AS t WHERE t.customer_id = c.id) AS live,
           (SELECT count(*) FROM messages AS m WHERE m.customer_id = c.id) AS messages,
           c.updated_at AS last_at
    FROM customers AS c LEFT JOIN accounts AS a ON a.id = c.account_id
    WHERE c.erased_at IS NULL AND (:all OR c.key LIKE :like OR a.key LIKE :like OR c.id IN (
        SELECT customer_id FROM contact_points WHERE lower(address) = :address))
    ORDER BY c.updated_at DESC, c.id DESC LIMIT :most""")
