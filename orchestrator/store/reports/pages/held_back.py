"""What the guardrails held back: by guardrail, and message by message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


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
class HeldBackPage:
    """``objections`` are the busiest first, ``messages`` the latest first."""

    objections: tuple[Objection, ...]
    messages: tuple[HeldBackMessage, ...]


def held_back(
    connection: Connection, since: datetime, *, policy: str | None, most: int = 100
) -> HeldBackPage:
    """What was held back or dropped since then; with ``policy`` the single messages of that guardrail alone."""
    objections = connection.execute(_OBJECTIONS, {"since": since})
    messages = connection.execute(_HELD_BACK, {"since": since, "policy": policy, "most": most})
    return HeldBackPage(
        objections=tuple(Objection(**row._mapping) for row in objections),  # noqa: SLF001
        messages=tuple(HeldBackMessage(**row._mapping) for row in messages),  # noqa: SLF001
    )


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
