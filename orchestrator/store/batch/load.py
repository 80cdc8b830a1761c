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

from sqlalchemy import Connection

from orchestrator.store.batch import load_statements as q
from orchestrator.store.sql.pipeline import PipelinedQuery, ask_all

_INBOX_EACH = 200  # rows of one customer in one transaction; the rest follows in the next
_INBOX_ROWS = 2000  # of all customers of a batch, in the order of their turns

# Of each customer, by the field they are put in. The inbox comes first: what its rows name is read by later statements.
# A row that arrives in between is not among those read, so it is neither applied nor deleted.
_FIRST = {
    "inbox": q.INBOX,
    "points": q.POINTS,
    "timers": q.TIMERS,
    "consents": q.CONSENTS,
    "cooldowns": q.COOLDOWNS,
    "holds": q.HOLDS,
    "cap_slots": q.CAP_SLOTS,
}
_NAMED_BY_THE_INBOX = {"enrollments": q.ENROLLMENTS, "messages": q.MESSAGES}
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
    doubtful: LoadedRows = field(default_factory=list)


def load_customers(
    connection: Connection, ids: Sequence[int], *, now: datetime, cap_window: timedelta
) -> dict[int, LoadedCustomer]:
    """The rows of these locked customers by id, without what only some of them need. Two round trips."""
    values: dict[str, Any] = {
        "ids": list(ids),
        "now": now,
        "each": _INBOX_EACH + 1,
        "rows": _INBOX_ROWS,
        "since": now - cap_window,
    }
    people, *parts = ask_all(
        connection,
        [PipelinedQuery(q.CUSTOMERS, values), *(PipelinedQuery(part, values) for part in _FIRST.values())],
    )
    loaded = {row.id: LoadedCustomer(customer=row) for row in people}
    for name, rows in zip(_FIRST, parts, strict=True):
        _give(loaded, name, rows)
    values |= _named(loaded.values())
    parts = ask_all(connection, [PipelinedQuery(part, values) for part in _NAMED_BY_THE_INBOX.values()])
    for name, rows in zip(_NAMED_BY_THE_INBOX, parts, strict=True):
        _give(loaded, name, rows)
    _tell_what_waits(loaded, ids)
    return loaded


def _named(customers: Iterable[LoadedCustomer]) -> dict[str, list[int]]:
    """Who has something in the inbox, which messages it names, and which of those are questions it answers."""
    heard: list[int] = []
    named: dict[tuple[int, int], bool] = {}
    for one in customers:
        if one.inbox:
            heard.append(one.customer.id)
        for item in one.inbox:
            message_id = item.data.get("message_id")
            if isinstance(message_id, int):
                key = (item.customer_id, message_id)
                named[key] = named.get(key, False) or item.data.get("outcome") == "answered"
    answered = [key for key, answers in named.items() if answers]
    return {
        "heard": heard,
        "named_customers": [customer_id for customer_id, _ in named],
        "named": [message_id for _, message_id in named],
        "answered_customers": [customer_id for customer_id, _ in answered],
        "answered": [message_id for _, message_id in answered],
    }


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
    values = {"ids": ids, "now": now} | _named(())
    every = _FIRST | _NAMED_BY_THE_INBOX
    questions = [
        PipelinedQuery(q.CUSTOMERS, values),
        *(PipelinedQuery(every[part], values) for part in parts),
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
    doubtful: bool = False


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
        questions["accounts"] = PipelinedQuery(q.ACCOUNTS, {"accounts": joined})
    if wanted.members and accounts:
        questions["members"] = PipelinedQuery(q.MEMBERS, {"accounts": accounts})
        questions["joining"] = PipelinedQuery(q.JOINING, {"accounts": accounts})
    if wanted.answer_rates:
        questions["rates"] = PipelinedQuery(q.ANSWER_RATES, {"ids": ids, "since": now - _RATES_OVER})
    if wanted.doubtful:
        questions["doubtful"] = PipelinedQuery(q.DOUBTFUL, {"ids": ids})
    if not questions:
        return
    answers = dict(zip(questions, ask_all(connection, list(questions.values())), strict=True))
    _give(loaded, "history", answers.get("history", ()))
    _give(loaded, "doubtful", answers.get("doubtful", ()))
    members = _members(answers.get("members", ()), answers.get("joining", ()))
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


def _members(stored: Iterable[Any], joining: Iterable[Any]) -> dict[int, LoadedRows]:
    """The customers of each account in id order: what an inbox says last of somebody stands."""
    everybody: dict[int, Any] = {row.id: row for row in stored}
    everybody.update((row.id, row) for row in joining)
    members: dict[int, LoadedRows] = defaultdict(list)
    for row in sorted(everybody.values(), key=lambda row: row.id):
        members[row.account_id].append(row)
    return members


def _joining(one: LoadedCustomer) -> set[int]:
    """The accounts that this customer belongs to once their inbox is applied."""
    return {
        item.data["account_id"] for item in one.inbox if item.kind == "identify" and "account_id" in item.data
    }


def _history(ids: list[int], look_back: Mapping[str, timedelta | None], now: datetime) -> PipelinedQuery:
    names = sorted(look_back)
    since = [now - span if (span := look_back[name]) is not None else _LONG_AGO for name in names]
    return PipelinedQuery(q.HISTORY, {"ids": ids, "names": names, "since": since})


def _give(loaded: Mapping[int, LoadedCustomer], name: str, rows: Iterable[Any]) -> None:
    for row in rows:
        getattr(loaded[row.customer_id], name).append(row)
