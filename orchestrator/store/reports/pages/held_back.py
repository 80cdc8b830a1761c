"""What the guardrails held back: by guardrail, and message by message."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """``objections`` are the busiest first, ``messages`` the latest first. ``counted_at``, in machine time: when it was
    not counted for whoever looks."""

    objections: tuple[Objection, ...]
    messages: tuple[HeldBackMessage, ...]
    counted_at: datetime | None = None

    def of(self, policy: str | None, *, most: int = 100) -> HeldBackPage:
        """With the single messages of one guardrail alone."""
        messages = [one for one in self.messages if policy in (None, one.policy)]
        return replace(self, messages=tuple(messages[:most]))


def held_back(
    connection: Connection, since: datetime, *, policy: str | None, most: int = 100, each: bool = False
) -> HeldBackPage:
    """What was held back or dropped since then; with ``policy`` the single messages of that guardrail alone, with
    ``each`` so many of every guardrail."""
    objections = connection.execute(_OBJECTIONS, {"since": since})
    values = {"since": since, "most": most} if each else {"since": since, "policy": policy, "most": most}
    messages = connection.execute(_EACH if each else _HELD_BACK, values)
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

_EACH = text("""
    SELECT c.key AS customer, m.playbook, m.step, v.channel, v.policy, v.verdict, v.why, v.until, v.last_at,
           v.count AS times
    FROM (
        SELECT *, row_number() OVER (PARTITION BY policy ORDER BY last_at DESC) AS place FROM verdicts
        WHERE verdict IN ('defer', 'drop') AND last_at >= :since) AS v
    JOIN messages AS m ON m.customer_id = v.customer_id AND m.id = v.message_id
    JOIN customers AS c ON c.id = v.customer_id
    WHERE v.place <= :most
    ORDER BY v.last_at DESC""")
