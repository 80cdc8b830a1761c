"""The judge of a crowd of processes: reads the ledger's stamps and says which law was broken, how often.

It knows caps and consent by their written rules alone and shares no code with the policies. What it cannot see: how a
process that has not heard of a new policy yet counts by it. For the time in which it need not have heard
(:data:`KNOWN_FOR`) the looser of two policies holds; a cap that both of them name alike has no such time. Nor does it
know grants that end by themselves or were never spoken out: the crowd gives none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy import Engine as Database

RATE = 3600.0  # an hour of business time passes in a second
# A process may count by the policy before for half a second; the rest is for a machine that is slow to wake it.
KNOWN_FOR = timedelta(seconds=1.5 * RATE)
NOT_COUNTED = frozenset({"service"})  # topics that take no place under caps

_MARKS = text("SELECT 'mark' AS what, m.* FROM stress_marks m ORDER BY customer_id, tick")
_WORDS = text("SELECT 'word' AS what, w.* FROM stress_consents w ORDER BY customer_id, tick")
_TAKEN = text("SELECT * FROM stress_taken ORDER BY customer_id, tick")
_CAPS = text("SELECT * FROM stress_caps ORDER BY began")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How much was looked at, and what was broken, by kind."""

    authorised: int
    words: int
    taken: int

    twice: int
    """A message that a provider took again."""
    unmarked: int
    """A message that a provider took though no hand-over of it, by this channel, was authorised before."""
    after_leaving: int
    """A hand-over authorised after the commit of a withdrawal that covers it and stands; taken by somebody or not."""
    over_caps: int
    """A hand-over with which a rolling window held more than any policy allowed that could be in force just then."""
    misdated: int
    """A hand-over or a word dated before its customer's last one was committed, or after its own commit: its
    transaction read the clock, and so what decides, before it had her lock."""

    @property
    def violations(self) -> int:
        return self.twice + self.unmarked + self.after_leaving + self.over_caps + self.misdated


def judge(database: Database) -> Verdict:
    with database.connect() as connection:
        marks, words, taken = (_by_customer(connection, table) for table in (_MARKS, _WORDS, _TAKEN))
        policies = _policies(connection.execute(_CAPS).all())
    customers = marks.keys() | words.keys() | taken.keys()
    histories = [_History(marks=marks[one], words=words[one], taken=taken[one]) for one in customers]
    return Verdict(
        authorised=sum(map(len, marks.values())),
        words=sum(map(len, words.values())),
        taken=sum(map(len, taken.values())),
        twice=sum(_twice(one) for one in histories),
        unmarked=sum(_unmarked(one) for one in histories),
        after_leaving=sum(_after_leaving(one) for one in histories),
        over_caps=sum(_over_caps(one, policies) for one in histories),
        misdated=sum(_misdated(one) for one in histories),
    )


Rows = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class _History:
    """What was stamped about one customer, each kind in the order of its ticks."""

    marks: Rows
    words: Rows
    taken: Rows

    def authorisations(self) -> dict[int, Any]:
        """The mark under which each message was taken, by message: the last one before the provider had it."""
        marks: dict[int, list[Any]] = defaultdict(list)
        for mark in self.marks:
            marks[mark.message_id].append(mark)
        found: dict[int, Any] = {}
        for one in self.taken:
            before = [mark for mark in marks[one.message_id] if mark.tick < one.tick]
            if before and before[-1].channel == one.channel:
                found.setdefault(one.message_id, before[-1])
        return found


def _by_customer(connection: Connection, statement: Any) -> dict[int, Rows]:
    found: dict[int, Rows] = defaultdict(list)
    for customer, rows in groupby(connection.execute(statement), key=lambda row: row.customer_id):
        found[customer] = list(rows)
    return found


# --- each message once, and only when authorised --------------------------------------------------------------------


def _twice(history: _History) -> int:
    return len(history.taken) - len({one.message_id for one in history.taken})


def _unmarked(history: _History) -> int:
    return len({one.message_id for one in history.taken} - history.authorisations().keys())


# --- nothing after an opt-out ---------------------------------------------------------------------------------------


Scope = tuple[str, str]  # channel and topic, either may be "*"


def _after_leaving(history: _History) -> int:
    """Marks against a withdrawal that stands: an opt-out is in force from its commit, so ticks decide what a mark must
    have seen; which of two words is the later one is decided by when they were said, and a withdrawal wins a tie."""
    withdrawn: dict[Scope, datetime] = {}
    granted: dict[Scope, datetime] = {}
    broken = 0
    for one in sorted([*history.marks, *history.words], key=lambda row: row.tick):
        if one.what == "mark":
            broken += any(
                _covers(scope, (one.channel, one.topic)) and not _taken_back(scope, since, granted, one)
                for scope, since in withdrawn.items()
            )
            continue
        book = withdrawn if one.action in ("revoked", "erased") else granted
        scope = (one.channel, one.topic)
        book[scope] = max(one.said, book.get(scope, one.said))
    return broken


def _taken_back(withdrawal: Scope, since: datetime, granted: Mapping[Scope, datetime], mark: Any) -> bool:
    """Whether a later grant re-opens this to the mark. A grant re-opens only what it names."""
    return any(
        said > since and _covers(withdrawal, grant) and _covers(grant, (mark.channel, mark.topic))
        for grant, said in granted.items()
    )


def _covers(wide: Scope, narrow: Scope) -> bool:
    return all(mine in ("*", theirs) for mine, theirs in zip(wide, narrow, strict=True))


# --- no window too full ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Which messages a cap counts, and over how long."""

    within: timedelta
    channel: str | None
    topic: str | None

    def counts(self, mark: Any) -> bool:
        return (
            mark.topic not in NOT_COUNTED
            and self.channel in (None, mark.channel)
            and self.topic in (None, mark.topic)
        )


@dataclass(frozen=True, kw_only=True)
class _Policy:
    """The caps that were in force from before ``began`` until ``ended``."""

    began: datetime
    ended: datetime
    at_most: Mapping[_Kind, int]


def _policies(rows: Rows) -> list[_Policy]:
    made = []
    for began, some in groupby(rows, key=lambda row: row.began):
        caps = list(some)
        kinds = {_Kind(within=one.within, channel=one.channel, topic=one.topic): one.at_most for one in caps}
        made.append(_Policy(began=began, ended=caps[0].ended, at_most=kinds))
    return made


def _over_caps(history: _History, policies: Sequence[_Policy]) -> int:
    """Every mark is looked at, also of what the provider then refused; what fills windows is what was really taken."""
    taken = history.authorisations()
    begins = [policy.began for policy in policies]
    broken: set[int] = set()  # ticks
    for kind in {kind for policy in policies for kind in policy.at_most}:
        spoken = sorted((one for one in taken.values() if kind.counts(one)), key=lambda one: one.at)
        instants = [one.at for one in spoken]
        for mark in filter(kind.counts, history.marks):
            known = _possibly_in_force(policies[: bisect_right(begins, mark.at)], mark.at)
            if not known or any(kind not in policy.at_most for policy in known):
                continue
            window = spoken[bisect_right(instants, mark.at - kind.within) : bisect_right(instants, mark.at)]
            own = taken.get(mark.message_id) is mark
            others = sum(
                one.tick < mark.tick or (own and one.at < mark.at)  # without a lock the two orders may differ
                for one in window
                if one.message_id != mark.message_id
            )
            if others + 1 > max(policy.at_most[kind] for policy in known):
                broken.add(mark.tick)
    return len(broken)


def _possibly_in_force(begun: Sequence[_Policy], at: datetime) -> list[_Policy]:
    return list(takewhile(lambda policy: at <= policy.ended + KNOWN_FOR, reversed(begun)))


# --- locked first, read after ---------------------------------------------------------------------------------------


def _misdated(history: _History) -> int:
    broken = 0
    latest: datetime | None = None  # when the last transaction about this customer was committed
    events = sorted([*history.marks, *history.words], key=lambda row: row.tick)
    for _, some in groupby(events, key=lambda row: row.tx):
        together = list(some)
        broken += sum(one.at > one.stamped or (latest is not None and one.at < latest) for one in together)
        latest = max(one.stamped for one in together)
    return broken
