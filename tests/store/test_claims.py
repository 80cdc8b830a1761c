"""Whose turn it is: nobody starves behind a backlog, a locked block or a customer of whom thousands of rows wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from orchestrator.records.inbox import InboxItem, Lane
from orchestrator.store.batch.claim import PostgresClaims
from orchestrator.store.batch.load import load_customers
from orchestrator.store.inbox_append import CROWDED, PostgresInbox

LIMIT = 16
MINUTE = timedelta(minutes=1)


def people(connection: Connection, count: int, now: datetime) -> None:
    """Customers 1 to ``count``."""
    connection.execute(
        text(
            "INSERT INTO customers (key, created_at, updated_at)"
            " SELECT 'p' || n, :now, :now FROM generate_series(1, :count) AS n"
        ),
        {"count": count, "now": now},
    )


def rows(connection: Connection, lane: Lane, first: int, last: int, now: datetime, *, each: int = 1) -> None:
    """Inbox rows of the customers ``first`` to ``last``, one customer after the other."""
    connection.execute(
        text(
            "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data, lane)"
            " SELECT c, nextval('inbox_ids'), 'signal', :now, :now, '{}', :lane"
            " FROM generate_series(CAST(:first AS bigint), :last) AS c, generate_series(1, :each)"
        ),
        {"lane": int(lane), "first": first, "last": last, "each": each, "now": now},
    )


def timers(connection: Connection, first: int, last: int, due_at: datetime) -> None:
    """A timer of each customer, a second after that of the one before."""
    connection.execute(
        text(
            "INSERT INTO timers (customer_id, enrollment_id, playbook, reentry_key, visit, due_at)"
            " SELECT c, c, 'p', '', 1, CAST(:due AS timestamptz) + c * interval '1 ms'"
            " FROM generate_series(CAST(:first AS bigint), :last) AS c"
        ),
        {"first": first, "last": last, "due": due_at},
    )


def messages(
    connection: Connection, first: int, last: int, provider: str, due_at: datetime, **more: Any
) -> None:
    values = {
        "first": first,
        "last": last,
        "provider": provider,
        "due": due_at,
        "free": due_at,
        "handed": False,
    }
    connection.execute(
        text(
            "INSERT INTO dispatch (customer_id, message_id, provider, due_at, free_at, handed)"
            " SELECT c, c, :provider, :due, :free, :handed FROM generate_series(CAST(:first AS bigint), :last) AS c"
        ),
        values | more,
    )


def due(
    connection: Connection, now: datetime, limit: int = LIMIT, capacity: dict[str, int] | None = None
) -> list[int]:
    claims = PostgresClaims(connection=connection)
    return claims.due(now=now, machine=now, limit=limit, capacity=capacity or {})


@contextmanager
def locked(engine: Engine, first: int, last: int) -> Iterator[None]:
    with engine.begin() as elsewhere:
        elsewhere.execute(
            text("SELECT id FROM customers WHERE id BETWEEN :first AND :last FOR UPDATE"),
            {"first": first, "last": last},
        )
        yield


def test_everybody_in_the_order_of_being_due(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 9, now)
        for customer in (7, 3, 5):
            timers(connection, customer, customer, now - customer * MINUTE)
        assert due(connection, now) == [7, 5, 3]


def test_each_queue_has_its_share_of_a_batch(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 1000, now)
        timers(connection, 1, 400, now - MINUTE)
        rows(connection, Lane.SIGNALS, 401, 600, now)
        messages(connection, 601, 700, "mail", now)
        messages(connection, 701, 800, "sms", now)
        rows(connection, Lane.BACKGROUND, 801, 998, now)
        messages(connection, 999, 999, "gone", now - MINUTE, handed=True)
        rows(connection, Lane.ANSWERS, 1000, 1000, now)
        taken = due(connection, now, 40, {"mail": 30, "sms": 2})
    assert {999, 1000} <= set(taken)
    of_each = [(1, 400), (401, 600), (601, 700), (701, 800), (801, 998)]
    assert [sum(first <= one <= last for one in taken) for first, last in of_each] == [10, 15, 10, 2, 1]


def test_background_moves_when_nothing_else_does_and_a_little_when_others_do(
    engine: Engine, now: datetime
) -> None:
    with engine.begin() as connection:
        people(connection, 400, now)
        rows(connection, Lane.BACKGROUND, 1, 200, now)
        assert len(due(connection, now, 100)) == 100
        timers(connection, 201, 400, now - MINUTE)
        taken = due(connection, now, 100)
    assert 1 <= len([one for one in taken if one <= 200]) <= 7


def test_the_newest_answer_is_heard_behind_a_backlog_of_answers(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 2001, now)
        rows(connection, Lane.ANSWERS, 1, 2000, now)
        rows(connection, Lane.ANSWERS, 2001, 2001, now)
        taken = due(connection, now)
    assert 2001 in taken
    assert 1 in taken


def test_a_locked_block_in_front_hides_nobody(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 602, now)
        timers(connection, 1, 600, now - MINUTE)
        messages(connection, 1, 600, "mail", now - MINUTE)
        timers(connection, 601, 601, now)
        messages(connection, 602, 602, "mail", now)
    with locked(engine, 1, 600), engine.begin() as connection:
        assert set(due(connection, now + MINUTE, capacity={"mail": 4})) == {601, 602}


def test_a_hot_customer_in_front_hides_nobody(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 2, now)
        rows(connection, Lane.SIGNALS, 1, 1, now, each=2500)
        rows(connection, Lane.SIGNALS, 2, 2, now)
        rows(connection, Lane.SIGNALS, 1, 1, now, each=2500)
        assert due(connection, now) == [1, 2]
    with locked(engine, 1, 1), engine.begin() as connection:
        assert due(connection, now) == [2]


def test_a_message_that_is_not_free_stands_behind_those_that_are(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 600, now)
        messages(connection, 1, 599, "mail", now - MINUTE, free=now + MINUTE)
        messages(connection, 600, 600, "mail", now)
        assert due(connection, now, capacity={"mail": 2}) == [600]


def test_whoever_is_parked_keeps_nobody_back(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 101, now)
        for kind in (Lane.ANSWERS, Lane.BACKGROUND):
            rows(connection, kind, 1, 100, now)
        timers(connection, 1, 101, now - MINUTE)
        connection.execute(
            text(
                "INSERT INTO parked (customer_id, enrollment_id, reason, detail, at)"
                " SELECT c, 0, 'r', '', :now FROM generate_series(1, 100) AS c"
            ),
            {"now": now},
        )
        assert due(connection, now) == [101]


def test_the_sweep_is_told_of_those_who_are_held_and_waits_for_each_a_moment(
    engine: Engine, now: datetime
) -> None:
    with engine.begin() as connection:
        people(connection, 300, now)
        timers(connection, 1, 300, now - MINUTE)
    with locked(engine, 2, 4), engine.begin() as connection:
        claims = PostgresClaims(connection=connection)
        assert sorted(claims.overdue(before=now, limit=10)) == [2, 3, 4]
        assert len(claims.overdue(before=now, limit=2)) == 2
        assert claims.these([1], wait=timedelta(milliseconds=50)) == [1]
        assert connection.execute(text("SELECT current_setting('lock_timeout')")).scalar() == "2s"
        with pytest.raises(psycopg.errors.LockNotAvailable):
            claims.these([2], wait=timedelta(milliseconds=50))


def test_only_the_first_row_of_an_upload_looks_for_its_customer(engine: Engine, now: datetime) -> None:
    def item(customer: int, number: int, kind: Any = "signal", **more: Any) -> InboxItem:
        values = {"customer_id": customer, "kind": kind, "source_id": f"{kind}:{number}", "occurred_at": now}
        return InboxItem(**values | {"data": {}} | more)

    with engine.begin() as connection:
        people(connection, 3, now)
        inbox = PostgresInbox(connection=connection)
        inbox.append([item(1, 1), item(1, 2), item(2, 1), item(1, 3, occurred_at=now - 300 * MINUTE)], now)
        assert lanes(connection) == {1: [1, 11, 2], 2: [1]}
        inbox.append([item(2, number) for number in range(2, CROWDED + 2)], now)
        inbox.append(
            [item(2, 99), item(2, 1, "response"), item(2, 2, "response"), item(3, 1, "consider")], now
        )
        found = lanes(connection)
    assert found[2] == [1, 1, *[11] * (CROWDED - 1), 11, 0, 0]
    assert found[3] == [2]


def lanes(connection: Connection) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in connection.execute(text("SELECT customer_id, lane FROM inbox ORDER BY id")):
        found.setdefault(row.customer_id, []).append(row.lane)
    return found


def test_an_inbox_is_read_as_far_as_one_turn_goes(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 12, now)
        rows(connection, Lane.SIGNALS, 1, 1, now, each=201)
        rows(connection, Lane.SIGNALS, 2, 2, now, each=200)
        loaded = load_customers(connection, [2, 1, 3], now=now, cap_window=MINUTE)
    assert [(len(loaded[one].inbox), loaded[one].inbox_waits) for one in (2, 1, 3)] == [
        (200, False),
        (200, True),
        (0, False),
    ]


def test_a_batch_reads_so_many_rows_and_knows_whose_wait(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        people(connection, 12, now)
        rows(connection, Lane.SIGNALS, 1, 12, now, each=190)
        loaded = load_customers(connection, list(range(12, 0, -1)), now=now, cap_window=MINUTE)
    assert sum(len(one.inbox) for one in loaded.values()) == 2000
    assert [one for one in range(12, 0, -1) if loaded[one].inbox_waits] == [2, 1]
    assert (len(loaded[3].inbox), len(loaded[2].inbox), len(loaded[1].inbox)) == (190, 100, 0)


def test_rows_behind_none_are_found_by_the_sweep(engine: Engine, now: datetime) -> None:
    """They were appended while those in front of them were applied."""
    with engine.begin() as connection:
        people(connection, 3, now)
        rows(connection, Lane.SIGNALS, 1, 2, now)
        connection.execute(
            text(
                "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data, lane)"
                " SELECT customer_id, id + 1000, kind, occurred_at, received_at, data, lane + 10 FROM inbox"
            )
        )
        claims = PostgresClaims(connection=connection)
        assert claims.overdue(before=now, limit=10) == []
        connection.execute(text("DELETE FROM inbox WHERE customer_id = 1 AND id < 1000"))
        assert due(connection, now) == [2]
        assert claims.overdue(before=now, limit=10) == [1]
        assert claims.overdue(before=now - MINUTE, limit=10) == []
