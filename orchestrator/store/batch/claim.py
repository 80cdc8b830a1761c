"""Who is taken next, and the lock on the customer's row: everything that changes a customer begins here.

A claim finds and locks customers in one statement, passing over those somebody else holds; a *later* one (in
:mod:`orchestrator.store.batch.load`) reads what decides. Counting in the locking statement would see the world from
before the lock was granted.

Whoever waits stands in queues: answers, live signals, timers, each provider's messages, hand-overs to be settled,
background. Each is looked at in the order of being due and gives one customer in turn, background one for sixteen of
the others, so that nobody starves. Where more answers or signals wait than are looked at, the newest of them are a
queue of their own: a click is heard behind any backlog of clicks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause

from orchestrator.records.inbox import Lane
from orchestrator.store.batch.claim_statements import (
    ALONE_BEHIND,
    COUNT_MESSAGES,
    DUE,
    END_SILENT,
    LOCK,
    LOCK_FREE,
    NEXT_DUE,
    OVERDUE,
    WAIT,
    WAIT_AS_EVER,
)
from orchestrator.store.sql.pipeline import PipelinedQuery, ask_all

FIRST_LOOK = 2  # rows looked at in each queue, as a multiple of the customers wanted
FARTHER = 8  # so many times more, where those in front were held elsewhere or were the same few
FARTHEST = 1024
SILENT_FOR = timedelta(
    seconds=4
)  # machine time; with the sweep's second no lock is held for longer than five
NEWEST = 8  # one in so many places may go to the newest answers, and as many to the newest signals

_EVERY_LANE = [int(lane) for lane in (Lane.ANSWERS, Lane.SIGNALS, Lane.BACKGROUND)]
_BEHIND = [int(lane) + int(Lane.BEHIND) for lane in (Lane.SIGNALS, Lane.BACKGROUND)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Queues:
    """Which of them a claim looks at; ``capacity`` None: no messages, and none to be settled."""

    lanes: Sequence[int] = tuple(_EVERY_LANE)
    timers: bool = True
    capacity: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresClaims:
    """The locks on customers, on one connection."""

    connection: Connection
    unreadable: Sequence[int] = ()  # versions whose enrollments and messages are left to other processes

    def due(self, *, now: datetime, machine: datetime, limit: int, capacity: Mapping[str, int]) -> list[int]:
        """Lock up to ``limit`` customers of all queues; their ids in the order in which it is their turn.

        ``capacity``: how many messages each provider may be given now. One statement, and a second one that looks
        farther where those in front were held elsewhere.
        """
        return self._due(_Queues(capacity=capacity), now=now, machine=machine, limit=limit)

    def customers(self, *, now: datetime, limit: int) -> list[int]:
        """As :meth:`due`, for inboxes and timers alone."""
        return self._due(_Queues(), now=now, machine=now, limit=limit)

    def with_messages(
        self, *, now: datetime, machine: datetime, capacity: Mapping[str, int], limit: int
    ) -> list[int]:
        """As :meth:`due`, for messages alone."""
        queues = _Queues(lanes=(), timers=False, capacity=capacity)
        return self._due(queues, now=now, machine=machine, limit=limit)

    def count_messages(
        self, *, now: datetime, machine: datetime, providers: Sequence[str], limit: int
    ) -> dict[str, int]:
        """How many messages are due at each of ``providers``, counting to ``limit``; locks nobody."""
        values: dict[str, Any] = {
            "now": now,
            "machine": machine,
            "providers": list(providers),
            "limit": limit,
            "unreadable": list(self.unreadable),
        }
        return {row.provider: row.messages for row in self._ask(COUNT_MESSAGES, values)}

    def these(self, ids: Collection[int], *, wait: timedelta | None = None) -> list[int]:
        """Lock these customers in id order, in one statement, waiting for each; those that exist.

        ``wait``: shorter than the session's own time for a lock. Raises Contended when a lock does not come.
        """
        values = {"ids": sorted(ids)}
        if wait is None:
            return [row.id for row in self._ask(LOCK, values)]
        self._ask(WAIT, {"milliseconds": str(int(wait.total_seconds() * 1000))})
        found = [row.id for row in self._ask(LOCK, values)]
        self.connection.execute(WAIT_AS_EVER)
        return found

    def free(self, ids: Collection[int]) -> list[int]:
        """Lock those of these customers whom nobody holds, in id order."""
        return [row.id for row in self._ask(LOCK_FREE, {"ids": sorted(ids)})]

    def end_silent(self) -> int:
        """End the sessions of processes that fell silent in the middle of sending a transaction: stopped ones; how
        many. What they hold is free then."""
        return int(self._ask(END_SILENT, {"silent": SILENT_FOR})[0].ended)

    def overdue(self, *, before: datetime, limit: int) -> list[int]:
        """Customers whose work is overdue since ``before`` while somebody holds them, or whom no queue finds."""
        late = {
            "before": before,
            "limit": limit,
            "window": limit * FARTHER,
            "lanes": _EVERY_LANE,
            "unreadable": list(self.unreadable),
        }
        behind = {"before": before, "window": limit, "lanes": _BEHIND}
        found = [*self._ask(OVERDUE, late), *self._ask(ALONE_BEHIND, behind)]
        return list(dict.fromkeys(row.customer_id for row in found))[:limit]

    def _ask(self, statement: TextClause, values: Mapping[str, Any]) -> list[Any]:
        (rows,) = ask_all(self.connection, [PipelinedQuery(statement, values)])
        return rows

    def _due(self, queues: _Queues, *, now: datetime, machine: datetime, limit: int) -> list[int]:
        reach = 1
        while True:
            values: dict[str, Any] = {
                "now": now,
                "machine": machine,
                "limit": limit,
                "lanes": list(queues.lanes),
                "window": limit * FIRST_LOOK * reach,
                "newest": max(1, limit // NEWEST) * reach,
                "timers": limit * FIRST_LOOK * reach if queues.timers else 0,
                "open": list(queues.capacity or ()),
                "capacity": [room * reach for room in (queues.capacity or {}).values()],
                "unreadable": list(self.unreadable),
                "settle": limit * reach if queues.capacity is not None else 0,
            }
            (row,) = self._ask(DUE, values)
            if len(row.ids) >= limit or reach >= FARTHEST or not (row.cut or row.passed_by):
                return list(row.ids)
            reach *= FARTHER


def next_due(
    connection: Connection, shut: Mapping[str, datetime], unreadable: Sequence[int] = ()
) -> datetime | None:
    """When the earliest timer, message or inbox row is due; None when nothing waits at all. ``shut`` are providers
    that may not be asked before an instant, ``unreadable`` versions that are left to other processes."""
    values: dict[str, Any] = {
        "providers": list(shut),
        "untils": list(shut.values()),
        "lanes": [*_EVERY_LANE, *_BEHIND],
        "unreadable": list(unreadable),
    }
    ((row,),) = ask_all(connection, [PipelinedQuery(NEXT_DUE, values)])
    due: datetime | None = row.due_at
    return due
