"""Reads everything a batch of locked customers may need, set-based: the same statements whatever the batch's size.

Only rows that can still matter are read: live enrollments whole, ended ones as far as re-entry, late goals and late
answers ask; messages that are unsettled, listened to, or named by something in the inbox; cap slots inside the longest
window of a cap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.store.sql.pipeline import PipelinedQuery, ask_all

_INBOX_EACH = 200  # rows of one customer in one transaction; the rest follows in the next
_INBOX_ROWS = 2000  # of all customers of a batch, in the order of their turns

_CUSTOMERS = text("""
SELECT c.*, a.key AS account_key, a.attributes AS account_attributes
  FROM customers c LEFT JOIN accounts a ON a.id = c.account_id WHERE c.id = ANY(:ids)
""")
_POINTS = text(
    "SELECT customer_id, channel, address, invalid_reason FROM contact_points WHERE customer_id = ANY(:ids)"
)
_ENROLLMENTS = text("""
SELECT e.customer_id, e.id, e.playbook_id, e.playbook, e.reentry_key, e.start_key, e.entered_at, e.held_out, e.because,
       e.trigger, e.rev, e.ended_at, e.end_status, CAST(e.state->'any_sent' AS boolean) AS any_sent,
       whole.context, whole.state, whole.seq
  FROM enrollments e
  LEFT JOIN LATERAL (
       SELECT e.context, e.state,
              (SELECT max(j.seq) FROM journal j WHERE j.customer_id = e.customer_id AND j.enrollment_id = e.id) AS seq
        WHERE e.ended_at IS NULL
           OR (e.state->>'converted_at' IS NULL AND EXISTS (SELECT FROM inbox i WHERE i.customer_id = e.customer_id))
           OR EXISTS (SELECT FROM inbox i JOIN messages m
                          ON m.customer_id = i.customer_id AND m.id = CAST(i.data->>'message_id' AS bigint)
                       WHERE i.customer_id = e.customer_id AND i.data->>'outcome' = 'answered'
                         AND m.enrollment_id = e.id)
       ) whole ON true
 WHERE e.customer_id = ANY(:ids) ORDER BY e.customer_id, e.id
""")
_INBOX = text("""
SELECT i.* FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
 CROSS JOIN LATERAL (
       SELECT customer_id, id, kind, occurred_at, received_at, data FROM inbox
        WHERE customer_id = wanted.id ORDER BY id LIMIT :each) i
 LIMIT :rows
""")
_TIMERS = text("SELECT customer_id, enrollment_id, visit, due_at FROM timers WHERE customer_id = ANY(:ids)")
_MESSAGES = text("""
SELECT m.*, d.provider AS dispatch_provider, d.due_at AS dispatch_due_at, d.free_at AS dispatch_free_at,
       f.message_id IS NOT NULL AS in_feed, f.seen_at AS feed_seen_at,
       (SELECT max(v.seq) FROM verdicts v WHERE v.customer_id = m.customer_id AND v.message_id = m.id) AS verdict_seq,
       lv.policy AS last_policy, lv.verdict AS last_verdict, lv.until AS last_until, lv.why AS last_why,
       lv.asked AS last_asked, lv.channel AS last_channel
  FROM (SELECT customer_id, message_id AS id FROM dispatch WHERE customer_id = ANY(:ids)
        UNION
        SELECT m.customer_id, m.id FROM timers t
          JOIN messages m ON m.customer_id = t.customer_id AND m.enrollment_id = t.enrollment_id AND m.visit = t.visit
         WHERE t.customer_id = ANY(:ids)
        UNION
        SELECT customer_id, message_id FROM feed_items
         WHERE customer_id = ANY(:ids) AND seen_at IS NULL AND withdrawn_at IS NULL
           AND (expires_at IS NULL OR expires_at > :now)
        UNION
        SELECT customer_id, CAST(data->>'message_id' AS bigint) FROM inbox
         WHERE customer_id = ANY(:ids) AND data ? 'message_id'
       ) wanted
  JOIN messages m ON m.customer_id = wanted.customer_id AND m.id = wanted.id
  LEFT JOIN dispatch d ON d.customer_id = m.customer_id AND d.message_id = m.id
  LEFT JOIN feed_items f ON f.customer_id = m.customer_id AND f.message_id = m.id
  LEFT JOIN LATERAL (SELECT * FROM verdicts v WHERE v.customer_id = m.customer_id AND v.message_id = m.id
                      ORDER BY v.seq DESC LIMIT 1) lv ON true
 ORDER BY m.customer_id, m.id
""")
_CONSENTS = text("SELECT * FROM consents WHERE customer_id = ANY(:ids)")
_COOLDOWNS = text(
    "SELECT * FROM cooldowns WHERE customer_id = ANY(:ids) AND ends_at > :now AND lifted_at IS NULL ORDER BY id"
)
_HOLDS = text(
    "SELECT * FROM holds WHERE customer_id = ANY(:ids) AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > :now)"
)
_CAP_SLOTS = text("""
SELECT customer_id, message_id, handed_at, channel, topic, shadow FROM cap_slots
 WHERE customer_id = ANY(:ids) AND handed_at > :since ORDER BY customer_id, handed_at
""")
# Of each customer, by the field they are put in. The inbox comes first: what its rows name is read by later statements.
# A row that arrives in between is not among those read, so it is neither applied nor deleted.
_PARTS = {
    "inbox": _INBOX,
    "points": _POINTS,
    "enrollments": _ENROLLMENTS,
    "timers": _TIMERS,
    "messages": _MESSAGES,
    "consents": _CONSENTS,
    "cooldowns": _COOLDOWNS,
    "holds": _HOLDS,
    "cap_slots": _CAP_SLOTS,
}
_HISTORY = text("""
SELECT s.customer_id, s.name, s.occurred_at, s.properties
  FROM unnest(CAST(:names AS text[]), CAST(:since AS timestamptz[])) AS wanted(name, since)
  JOIN signals s ON s.name = wanted.name AND s.occurred_at > wanted.since AND s.customer_id = ANY(:ids)
 ORDER BY s.customer_id, s.name, s.occurred_at, s.id
""")
_MEMBERS = text("""
SELECT account_id, id, key, attributes->>'role' AS role FROM customers
 WHERE account_id = ANY(:accounts) AND erased_at IS NULL ORDER BY account_id, id
""")
_ACCOUNTS = text("SELECT id, key, attributes FROM accounts WHERE id = ANY(:accounts)")
_ANSWER_RATES = text("""
SELECT customer_id, channel, avg((responses ?| ARRAY['clicked', 'answered', 'replied'])::int)::float8 AS rate
  FROM messages WHERE customer_id = ANY(:ids) AND sent_at > :since AND kind IN ('send', 'ask')
 GROUP BY customer_id, channel
""")
_RATES_OVER = timedelta(days=180)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

LoadedRows = list[Any]


@dataclass(kw_only=True, slots=True)
class LoadedAccount:
    """An account's row and its customers' rows."""

    account: Any
    members: LoadedRows


@dataclass(kw_only=True, slots=True)
class LoadedCustomer:
    """One customer's rows."""

    customer: Any
    points: LoadedRows = field(default_factory=list)
    enrollments: LoadedRows = field(default_factory=list)
    inbox: LoadedRows = field(default_factory=list)
    timers: LoadedRows = field(default_factory=list)
    messages: LoadedRows = field(default_factory=list)
    consents: LoadedRows = field(default_factory=list)
    cooldowns: LoadedRows = field(default_factory=list)
    holds: LoadedRows = field(default_factory=list)
    cap_slots: LoadedRows = field(default_factory=list)
    history: LoadedRows = field(default_factory=list)
    members: LoadedRows = field(default_factory=list)
    joining: dict[int, LoadedAccount] = field(default_factory=dict)
    answer_rates: dict[str, float] = field(default_factory=dict)
    inbox_waits: bool = False  # more rows than were read


def load_customers(
    connection: Connection, ids: Sequence[int], *, now: datetime, cap_window: timedelta
) -> dict[int, LoadedCustomer]:
    """The rows of these locked customers by id, without what only some of them need. One round trip."""
    values: dict[str, Any] = {
        "ids": list(ids),
        "now": now,
        "each": _INBOX_EACH + 1,
        "rows": _INBOX_ROWS,
        "since": now - cap_window,
    }
    people, *parts = ask_all(
        connection,
        [PipelinedQuery(_CUSTOMERS, values), *(PipelinedQuery(part, values) for part in _PARTS.values())],
    )
    loaded = {row.id: LoadedCustomer(customer=row) for row in people}
    for name, rows in zip(_PARTS, parts, strict=True):
        _give(loaded, name, rows)
    _tell_what_waits(loaded, ids)
    return loaded


def _tell_what_waits(loaded: Mapping[int, LoadedCustomer], ids: Sequence[int]) -> None:
    """Whose inbox was not read to its end."""
    read = sum(len(one.inbox) for one in loaded.values())
    for one in loaded.values():
        if len(one.inbox) > _INBOX_EACH:
            one.inbox.pop()
            one.inbox_waits = True
    if read < _INBOX_ROWS:
        return
    in_order = [loaded[one] for one in ids if one in loaded]
    last = max(number for number, one in enumerate(in_order) if one.inbox)
    for one in in_order[last:]:  # the last may have been cut anywhere, those after it were not looked at
        one.inbox_waits = True


def load_guards(
    connection: Connection,
    customer_id: int,
    *,
    now: datetime,
    look_back: Mapping[str, timedelta | None] | None,
) -> LoadedCustomer | None:
    """What may stand between one customer and the feed; ``look_back`` None: without the facts that conditions ask.

    One round trip.
    """
    ids = [customer_id]
    parts = ["consents", "cooldowns", "holds"]
    if look_back is not None:
        parts += ["points", "enrollments"]
    values = {"ids": ids, "now": now}
    questions = [
        PipelinedQuery(_CUSTOMERS, values),
        *(PipelinedQuery(_PARTS[part], values) for part in parts),
    ]
    if look_back:
        questions.append(_history(ids, look_back, now))
        parts.append("history")
    people, *answers = ask_all(connection, questions)
    if not people:
        return None
    loaded = {customer_id: LoadedCustomer(customer=people[0])}
    for name, rows in zip(parts, answers, strict=True):
        _give(loaded, name, rows)
    return loaded[customer_id]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What this batch needs beside the rows every batch reads."""

    look_back: Mapping[str, timedelta | None]  # None: to the beginning
    members: bool
    answer_rates: bool


def load_more(
    connection: Connection, loaded: Mapping[int, LoadedCustomer], wanted: Wanted, *, now: datetime
) -> None:
    """Signal history, colleagues, answer rates and the accounts that inboxes name, as far as wanted. One round trip."""
    ids = list(loaded)
    named = {customer_id: _joining(one) for customer_id, one in loaded.items()}
    joined = sorted(set().union(*named.values()))
    accounts = sorted(
        {one.customer.account_id for one in loaded.values() if one.customer.account_id is not None}.union(
            joined
        )
    )
    questions: dict[str, PipelinedQuery] = {}
    if wanted.look_back:
        questions["history"] = _history(ids, wanted.look_back, now)
    if joined:
        questions["accounts"] = PipelinedQuery(_ACCOUNTS, {"accounts": joined})
    if wanted.members and accounts:
        questions["members"] = PipelinedQuery(_MEMBERS, {"accounts": accounts})
    if wanted.answer_rates:
        questions["rates"] = PipelinedQuery(_ANSWER_RATES, {"ids": ids, "since": now - _RATES_OVER})
    if not questions:
        return
    answers = dict(zip(questions, ask_all(connection, list(questions.values())), strict=True))
    _give(loaded, "history", answers.get("history", ()))
    members: dict[int, LoadedRows] = defaultdict(list)
    for row in answers.get("members", ()):
        members[row.account_id].append(row)
    known = {row.id: row for row in answers.get("accounts", ())}
    for customer_id, one in loaded.items():
        one.members = members.get(one.customer.account_id, [])
        one.joining = {
            account: LoadedAccount(account=known[account], members=members.get(account, []))
            for account in named[customer_id]
            if account in known
        }
    for row in answers.get("rates", ()):
        loaded[row.customer_id].answer_rates[row.channel] = row.rate


def _joining(one: LoadedCustomer) -> set[int]:
    """The accounts that this customer belongs to once their inbox is applied."""
    return {
        item.data["account_id"] for item in one.inbox if item.kind == "identify" and "account_id" in item.data
    }


def _history(ids: list[int], look_back: Mapping[str, timedelta | None], now: datetime) -> PipelinedQuery:
    names = sorted(look_back)
    since = [now - span if (span := look_back[name]) is not None else _LONG_AGO for name in names]
    return PipelinedQuery(_HISTORY, {"ids": ids, "names": names, "since": since})


def _give(loaded: Mapping[int, LoadedCustomer], name: str, rows: Iterable[Any]) -> None:
    for row in rows:
        getattr(loaded[row.customer_id], name).append(row)
