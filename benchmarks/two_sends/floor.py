"""(b) The floor: the same rows by plain batched SQL, as a skilled person would write it for this one playbook.

``python -m benchmarks.two_sends.floor URL``: a process over one connection: set-based statements in a pipeline, COPY
for what is new, five hundred customers a transaction. It keeps the laws that cost something: customers are locked
before what decides is read, a message is marked and committed before it is handed over and filed in a second commit,
every live enrollment has a timer and every unsettled message its row of dispatch. Each customer is decided one by one:
a transition of the state machine, opt-outs, rests and caps, a Jinja template, signed links. What it lacks is everything
that makes an engine of it: another playbook, another channel, an error.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from benchmarks.harness.children import serve
from benchmarks.harness.scratch import IDLE, connect
from benchmarks.two_sends import floor_statements as sql
from benchmarks.two_sends import workload
from benchmarks.two_sends.floor_messages import Writer, public_id
from benchmarks.two_sends.floor_walk import Walk

BATCH = 500
LEASE = timedelta(seconds=60)
LISTENING = timedelta(days=workload.WAIT_DAYS)
PATIENCE = timedelta(days=3)
REST = timedelta(days=workload.REST_DAYS)
ALLOWED = ("all", "allow", "every policy allows it")


def main() -> int:
    with connect(sys.argv[1], autocommit=False) as connection:
        floor = Floor(connection)
        serve({"wave": lambda: {"messages": floor.wave()}})
    return 0


class Floor:
    """One process of the floor."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection
        self._writer = Writer()
        with connection.transaction():
            row = connection.execute("SELECT id FROM playbooks ORDER BY id DESC LIMIT 1").fetchone()
        assert row is not None
        self._playbook_id = int(row[0])

    def wave(self) -> int:
        """Work until nothing is due; how many messages went out."""
        messages = 0
        while True:
            started, due = self._start(), self._go_on()
            messages += started[1] + due[1]
            if started[0] or due[0]:
                continue
            with self._connection.transaction():
                row = self._connection.execute(IDLE).fetchone()
            if row is not None and row[0]:
                return messages
            time.sleep(0.002)  # what is left is in another process's hands

    # --- the two kinds of batches -----------------------------------------------------------------------------------

    def _start(self) -> tuple[int, int]:
        """Customers with something in their inbox: how many, and how many messages went out."""
        with self._connection.transaction():
            now, ids = self._claim(sql.WITH_INBOX)
            if not ids:
                return 0, 0
            arrivals, standing, rows = self._read(sql.ARRIVALS, ids, now)
            walks = [
                Walk(customer_id=row[0], key=row[1], attributes=row[2], address=row[3], since=row[5], now=now)
                for row in arrivals
                if row[0] not in rows
            ]
            for walk, enrollment_id in zip(walks, self._ids("enrollment_ids", len(walks)), strict=True):
                walk.enrollment_id = enrollment_id
                walk.start()
            self._copy(
                "signals", ((r[0], workload.EVENT, r[5], r[4], r[6], json.dumps(r[7])) for r in arrivals)
            )
            marked = self._plan(walks, standing, now)
            self._copy("enrollments", (walk.row(self._playbook_id) for walk in walks))
            self._copy("timers", (walk.timer() for walk in walks))
            self._copy("journal", (line for walk in walks for line in walk.take_lines()))
            with self._connection.pipeline():
                self._run(sql.SEEN, now, [r[0] for r in arrivals], [r[5] for r in arrivals])
                self._run(sql.TAKE_FROM_INBOX, [r[0] for r in arrivals], [r[4] for r in arrivals])
        self._hand_over(marked)
        return len(ids), len(marked)

    def _go_on(self) -> tuple[int, int]:
        """Customers with a timer that is due."""
        with self._connection.transaction():
            now, ids = self._claim(sql.WITH_TIMER)
            if not ids:
                return 0, 0
            found, standing, _ = self._read(sql.WALKS, ids, now)
            walks = [Walk.stored(row, now) for row in found]
            for walk in walks:
                walk.listened_in_vain()
            marked = self._plan([walk for walk in walks if walk.live], standing, now)
            over = [walk for walk in walks if not walk.live]
            self._copy("journal", (line for walk in walks for line in walk.take_lines()))
            self._copy("cooldowns", (w.cooldown(now + REST) for w in over if w.ignored))
            self._update(walks, ended=over)
        self._hand_over(marked)
        return len(ids), len(marked)

    def _plan(self, walks: Sequence[Walk], standing: Standing, now: datetime) -> list[Walk]:
        """Plan the message of each walk, ask, and mark what may leave: it is handed over after the commit."""
        for walk, message_id in zip(walks, self._ids("message_ids", len(walks)), strict=True):
            walk.message_id = message_id
            walk.plan(PATIENCE)
            walk.objection = standing.objection(walk.customer_id, walk.address)
            if walk.objection is None:
                walk.hand_over(LISTENING)
            else:
                walk.give_up()
        marked = [walk for walk in walks if walk.objection is None]
        self._copy("messages", (walk.message(self._playbook_id) for walk in walks))
        self._copy("verdicts", (line for walk in walks for line in _verdicts(walk, now)))
        self._copy("dispatch", ((w.customer_id, w.message_id, "sandbox", now, now + LEASE) for w in marked))
        self._copy(
            "cap_slots", ((w.customer_id, w.message_id, now, "email", workload.TOPIC, False) for w in marked)
        )
        return marked

    def _hand_over(self, walks: Sequence[Walk]) -> None:
        """Render and sign each message, as the sandbox would have it, and file that it went out."""
        if not walks:
            return
        written = [self._writer.write(walk) for walk in walks]
        with self._connection.transaction():
            now, _ = self._claim(sql.THESE, sorted({walk.customer_id for walk in walks}))
            keys = [walk.customer_id for walk in walks], [walk.enrollment_id for walk in walks]
            stored = dict(self._connection.execute(sql.REVISIONS, keys).fetchall())
            for walk in walks:
                walk.filed(now, stored[walk.enrollment_id])
                walk.sent(LISTENING)
            self._copy("journal", (line for walk in walks for line in walk.take_lines()))
            self._copy("receipts", (_receipt(walk, now) for walk in walks))
            self._copy(
                "sandbox_inbox",
                (
                    (w.customer_id, w.message_id, "email", content, now)
                    for w, content in zip(walks, written, strict=True)
                ),
            )
            keys = [walk.customer_id for walk in walks], [walk.message_id for walk in walks]
            with self._connection.pipeline():
                names = [f"sandbox-{public_id(walk.customer_id, walk.message_id)}" for walk in walks]
                self._run(sql.SENT, now, now, *keys, names)
                self._run(sql.SETTLED, *keys)
            self._update(walks)

    # --- reading and writing ----------------------------------------------------------------------------------------

    def _claim(self, statement: str, ids: Sequence[int] | None = None) -> tuple[datetime, list[int]]:
        """Lock customers; the instant is read after the lock."""
        with self._connection.pipeline():
            locked = self._connection.execute(statement, {"limit": BATCH, "ids": ids})
            clock = self._connection.execute(sql.NOW)
        row = clock.fetchone()
        assert row is not None
        return row[0], [one[0] for one in locked]

    def _read(
        self, what: str, ids: Sequence[int], now: datetime
    ) -> tuple[list[tuple[Any, ...]], Standing, set[int]]:
        values = {"ids": ids, "now": now, "playbook": workload.PLAYBOOK}
        with self._connection.pipeline():
            cursors = [
                self._connection.execute(statement, values)
                for statement in (what, sql.OPT_OUTS, sql.RESTS, sql.CAP_SLOTS, sql.NOT_AGAIN)
            ]
        found, opt_outs, rests, slots, not_again = (cursor.fetchall() for cursor in cursors)
        standing = Standing(opt_outs=opt_outs, rests=rests, slots=slots, now=now)
        return found, standing, {row[0] for row in not_again}

    def _ids(self, sequence: str, count: int) -> list[int]:
        rows = self._connection.execute(sql.IDS, [sequence, count])
        return [row[0] for row in rows]

    def _copy(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(sql.COPY[table]) as copy:
            for row in rows:
                copy.write_row(row)

    def _run(self, statement: str, *values: Any) -> None:
        self._connection.execute(statement, values)

    def _update(self, walks: Sequence[Walk], *, ended: Sequence[Walk] = ()) -> None:
        """Write where the walks are now, and move or take away their timers."""
        live = [walk for walk in walks if walk.live]
        with self._connection.pipeline():
            self._run(
                sql.MOVED,
                [w.customer_id for w in walks],
                [w.enrollment_id for w in walks],
                [w.state["step"] for w in walks],
                [w.state["visit"] for w in walks],
                [json.dumps(w.state) for w in walks],
                [w.rev for w in walks],
                [w.state["step_entered_at"] for w in walks],
                [w.state["ended_at"] for w in walks],
                [w.state["end_status"] for w in walks],
            )
            self._run(
                sql.TIMED,
                [w.customer_id for w in live],
                [w.enrollment_id for w in live],
                [w.state["visit"] for w in live],
                [w.state["due_at"] for w in live],
            )
            if ended:
                self._run(sql.UNTIMED, [w.customer_id for w in ended], [w.enrollment_id for w in ended])


class Standing:
    """What stands between the customers of a batch and a message: opt-outs, rests, caps."""

    def __init__(
        self,
        *,
        opt_outs: Iterable[tuple[Any, ...]],
        rests: Iterable[tuple[Any, ...]],
        slots: Iterable[tuple[Any, ...]],
        now: datetime,
    ) -> None:
        self._opted_out = {row[0] for row in opt_outs}
        self._resting = {row[0] for row in rests}
        used = list(slots)
        self._used = [
            (most, Counter(row[0] for row in used if row[1] > now - timedelta(days=days)))
            for most, days in workload.CAPS
        ]

    def objection(self, customer_id: int, address: str | None) -> tuple[str, str, str] | None:
        """The policy that stands against a message, its verdict and the reason; None when nothing does."""
        if address is None:
            return "reachable", "drop", "no address"
        if customer_id in self._opted_out:
            return "opted_out", "drop", "opted out"
        if customer_id in self._resting:
            return "cooldown", "drop", "a rest was promised"
        for most, used in self._used:
            if used[customer_id] >= most:
                return "frequency_cap", "drop", "the cap is reached"
        return None


def _verdicts(walk: Walk, now: datetime) -> Iterable[tuple[Any, ...]]:
    """Asked when it is planned, which is when it is handed over."""
    policy, verdict, why = walk.objection or ALLOWED
    asked = "planned" if walk.objection else "both"
    yield walk.customer_id, walk.message_id, 1, asked, "email", policy, verdict, why, "{}", now, now, 1


def _receipt(walk: Walk, now: datetime) -> tuple[Any, ...]:
    return walk.customer_id, walk.message_id, "hand_over:1", "sent", now, now, _FACTS


_FACTS: str = json.dumps({"attempt": 1, "provider": "sandbox"})


if __name__ == "__main__":
    sys.exit(main())
