"""Whom each process is about to decide, committed beside the batch that does: what it leaves behind when it is killed.

A row says "these customers are in hand"; the commit of their batch empties it. A row that is full while nobody holds
its customers' locks belongs to a process that died at work.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Connection, text

from orchestrator.ids import new_key
from orchestrator.records.drain import InterruptedCustomer

IDLE_FOR = timedelta(hours=1)  # machine time: an empty row so old is of a process that is gone

_QUIETLY = text("SET LOCAL synchronous_commit = off")  # it must outlive a process, not the server
_MARK = text("""
INSERT INTO batches_in_hand (process, customer_ids, beat_at, crash_counts)
VALUES (:process, :ids, :machine, CAST(:crash_counts AS jsonb))
ON CONFLICT (process) DO UPDATE
   SET customer_ids = excluded.customer_ids, beat_at = excluded.beat_at, crash_counts = excluded.crash_counts
""")
_DONE = text(
    "UPDATE batches_in_hand SET customer_ids = '{}', crash_counts = '{}'"
    " WHERE process = ANY(:processes) AND customer_ids <> '{}'"
)
_FULL = text(
    "SELECT process, customer_ids, beat_at, crash_counts FROM batches_in_hand"
    " WHERE beat_at < :before AND customer_ids <> '{}'"
)
_FREE = text(
    "SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"
)
_TAKE = text(
    "DELETE FROM batches_in_hand WHERE process = :process AND beat_at = :beat_at AND customer_ids <> '{}'"
)
_SWEEP = text("DELETE FROM batches_in_hand WHERE beat_at < :before AND customer_ids = '{}'")


def mark(
    connection: Connection, ids: Sequence[int], machine: datetime, crash_counts: Mapping[int, int]
) -> None:
    """This thread of this process has these customers in hand."""
    connection.execute(_QUIETLY)
    values = {"process": this_thread(), "ids": list(ids), "machine": machine}
    connection.execute(_MARK, {**values, "crash_counts": json.dumps(dict(crash_counts))})


def done(connection: Connection) -> None:
    """With this commit it has nobody in hand."""
    done_of(connection, [this_thread()])


def done_of(connection: Connection, processes: Collection[str]) -> None:
    """With this commit these, by :func:`this_thread`, have nobody in hand."""
    connection.execute(_DONE, {"processes": list(processes)})


def take_interrupted(connection: Connection, *, before: datetime) -> list[InterruptedCustomer]:
    """Whom processes left behind that were last heard of before ``before``; each is given to one caller only."""
    found: list[InterruptedCustomer] = []
    for row in connection.execute(_FULL, {"before": before}).all():
        if connection.execute(_FREE, {"ids": row.customer_ids}).first() is None:
            continue  # it is at work: it holds their locks
        if connection.execute(_TAKE, {"process": row.process, "beat_at": row.beat_at}).rowcount:
            found += [
                InterruptedCustomer(customer_id=one, crash_count=1 + row.crash_counts.get(str(one), 0))
                for one in row.customer_ids
            ]
    connection.execute(_SWEEP, {"before": before - IDLE_FOR})
    return found


def this_thread() -> str:
    """The name of this thread of this process among all that ever worked."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}:{_life(os.getpid())}"


@cache
def _life(pid: int) -> str:
    """Tells a process from a later one of the same number, also after a fork."""
    del pid
    return new_key()[:8]
