"""The lists of the dashboard that no other part of the engine needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.ids import MESSAGE, public_id


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCustomer:
    """A customer in a list."""

    key: str
    account: str | None
    live: int
    messages: int
    last_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Objection:
    """One guardrail and how often it spoke; ``example`` is its latest sentence."""

    policy: str
    verdict: str
    messages: int
    times: int
    example: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldBackMessage:
    """One message that was held back or dropped."""

    customer: str
    playbook: str
    step: str
    channel: str
    policy: str
    verdict: str
    why: str
    until: datetime | None
    last_at: datetime
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedCard:
    """An in-app item, past ones included."""

    message_id: str
    display: str
    content: dict[str, Any]
    shown_at: datetime
    state: str


def find_customers(connection: Connection, wanted: str, *, most: int = 50) -> list[FoundCustomer]:
    """By the beginning of the key or of the account's key, or by a whole address; empty: the last active."""
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = connection.execute(
        _CUSTOMERS, {"all": not wanted, "like": f"{escaped}%", "address": wanted.lower(), "most": most}
    )
    return [FoundCustomer(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def objections(connection: Connection, since: datetime) -> list[Objection]:
    """What the guardrails held back since then, the busiest first."""
    rows = connection.execute(_OBJECTIONS, {"since": since})
    return [Objection(**row._mapping) for row in rows]  # noqa: SLF001


def held_back(
    connection: Connection, since: datetime, policy: str | None, *, most: int = 100
) -> list[HeldBackMessage]:
    """Single messages, the latest first."""
    rows = connection.execute(_HELD_BACK, {"since": since, "policy": policy, "most": most})
    return [HeldBackMessage(**row._mapping) for row in rows]  # noqa: SLF001


def cards(connection: Connection, customer_id: int, now: datetime, *, most: int = 50) -> Sequence[FeedCard]:
    """What this customer was shown in the product, the latest first."""
    rows = connection.execute(_CARDS, {"customer_id": customer_id, "most": most})
    return [
        FeedCard(
            message_id=public_id(MESSAGE, customer_id, row.message_id),
            display=row.display,
            content=row.content.get("content") or {},
            shown_at=row.shown_at,
            state=_state(row, now),
        )
        for row in rows
    ]


def _state(row: Any, now: datetime) -> str:
    for name in ("withdrawn", "dismissed", "answered", "clicked"):
        if getattr(row, f"{name}_at") is not None:
            return name
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "seen" if row.seen_at is not None else "not seen yet"


_CUSTOMERS = text("""
    SELECT c.key, a.key AS account,
           (SELECT count(*) FROM timers AS t WHERE t.customer_id = c.id) AS live,
           (SELECT count(*) FROM messages AS m WHERE m.customer_id = c.id) AS messages,
           c.updated_at AS last_at
    FROM customers AS c LEFT JOIN accounts AS a ON a.id = c.account_id
    WHERE c.erased_at IS NULL AND (:all OR c.key LIKE :like OR a.key LIKE :like OR c.id IN (
        SELECT customer_id FROM contact_points WHERE lower(address) = :address))
    ORDER BY c.updated_at DESC, c.id DESC LIMIT :most""")

_OBJECTIONS = text("""
    SELECT policy, verdict, count(DISTINCT (customer_id, message_id)) AS messages, sum(count)::bigint AS times,
           (array_agg(why ORDER BY last_at DESC))[1] AS example
    FROM verdicts WHERE verdict IN ('defer', 'drop') AND last_at >= :since
    GROUP BY policy, verdict ORDER BY messages DESC, policy, verdict""")

_HELD_BACK = text("""
    SELECT c.key AS customer, m.playbook, m.step, v.channel, v.policy, v.verdict, v.why, v.until, v.last_at,
           v.count AS times
    FROM verdicts AS v
    JOIN messages AS m ON m.customer_id = v.customer_id AND m.id = v.message_id
    JOIN customers AS c ON c.id = v.customer_id
    WHERE v.verdict IN ('defer', 'drop') AND v.last_at >= :since
      AND (CAST(:policy AS text) IS NULL OR v.policy = :policy)
    ORDER BY v.last_at DESC LIMIT :most""")

_CARDS = text("""
    SELECT * FROM feed_items WHERE customer_id = :customer_id ORDER BY shown_at DESC, message_id DESC LIMIT :most""")
