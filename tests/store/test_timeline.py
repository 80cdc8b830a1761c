"""One customer's story: complete, in order, in words a support person can read; exported and erased as a whole."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, select, text

from orchestrator.errors import NotFound
from orchestrator.store import customers
from orchestrator.store.erase import PostgresErasure
from orchestrator.store.reports import timeline
from orchestrator.store.reports.export import EXPORTED, export
from orchestrator.store.reports.invariants import check_invariants
from orchestrator.store.sql import tables as t
from orchestrator.store.sql.tables import metadata
from tests.store.world import Walked, World
from tests.support.statements import counted

pytestmark = pytest.mark.contract

HOUR = timedelta(hours=1)
SECRET = "Ann Example"


def story(connection: Connection, now: datetime) -> Walked:
    """A limit reached, an offer held back by night and then sent, clicked, converted; then an opt-out."""
    world = World(connection, now)
    ann = world.customer("ann@example.test", attributes={"name": SECRET}, locale="de", tags=["vip"])
    world.contact(ann, "email", "ann@example.test")
    world.signal(ann, "usage_reported", owner=SECRET)
    walk = world.enroll(ann, world.playbook("upsell"), because=f"{SECRET} uses 90%", context={"name": SECRET})
    message = world.message(
        walk, handed_at=now + HOUR, sent_at=now + HOUR, settled_at=now + HOUR,
        responses={"clicked": (now + 2 * HOUR).isoformat()},
    )  # fmt: skip
    world.verdict(
        walk, message, "quiet_hours", "defer", until=now + HOUR, why="it is night in Vienna", count=3
    )
    world.row(
        t.receipts, customer_id=ann, message_id=message, source_id="r1", kind="delivered", data={"to": SECRET},
        occurred_at=now + HOUR, received_at=now + HOUR,
    )  # fmt: skip
    world.row(
        t.sandbox_inbox,
        customer_id=ann,
        message_id=message,
        channel="email",
        content={"text": SECRET},
        at=now,
    )
    world.feed_item(walk, message, {"text": SECRET})
    world.move(walk, "clicked", "watch", at=now + 2 * HOUR)
    world.change(walk, "response", saved={"why": SECRET}, answers={"banner": SECRET})
    world.cooldown(ann, until=now + 99 * HOUR, starts_at=now + 3 * HOUR, lifted_at=now + 4 * HOUR)
    world.hold(ann, "support_ticket", closed_at=now + HOUR)
    world.row(
        t.refusals,
        customer_id=ann,
        playbook="events",
        reason="reentry",
        trigger="product",
        at=now,
        detail={"n": SECRET},
    )
    world.convert(walk, value=49.5, at=now + 5 * HOUR)
    world.end(walk, "converted", at=now + 5 * HOUR)
    world.now = now + 6 * HOUR
    world.consent(ann, granted=False, channel="*", topic="*")
    connection.execute(t.consent_ledger.update().values(evidence={"ip": SECRET}, address_hash="h"))
    return walk


def test_the_story_reads_in_order(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        walk = story(connection, now)
        entries = timeline.customer_timeline(connection, walk.customer_id).entries
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    told = [entry.words for entry in entries]
    wanted = [
        "signal 'usage_reported'",
        "hold 'support_ticket' opened",
        f"entered 'upsell' (by product), because {SECRET} uses 90%",
        "reached step 'banner'",
        "start of 'events' (by product) was refused: reentry",
        "planned the email of 'banner'",
        (
            "the email of 'banner' is held back by 'quiet_hours': it is night in Vienna "
            "(asked when planned, 3 times, last at 2026-11-20 12:00 UTC)"
        ),
        "hold 'support_ticket' closed",
        "handed the email of 'banner' to sandbox",
        "the email of 'banner' went out",
        "the provider reported: delivered",
        "the email of 'banner': clicked",
        "left 'banner' by clicked, on to 'watch'",
        "reached step 'watch'",
        "rest from everything promotional until 2026-11-24 15:00 UTC: a rest",
        "rest from everything promotional was lifted",
        "the walk ended in 'watch': converted",
        "goal reached by 'plan_upgraded', worth 49.5",
        "opted out of everything on every channel (link, page)",
    ]
    assert [words for words in told if words in wanted] == wanted
    assert entries[0].kind == "signal"
    assert {entry.playbook for entry in entries if entry.kind == "step"} == {"upsell"}


def test_it_takes_as_many_statements_for_a_long_story(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        walk = story(connection, now)
    with counted(engine) as short, engine.connect() as connection:
        whole = timeline.customer_timeline(connection, walk.customer_id)
    with engine.begin() as connection:
        world = World(connection, now)
        for number in range(50):
            world.signal(walk.customer_id, f"s{number}")
    with counted(engine) as long, engine.connect() as connection:
        latest = timeline.customer_timeline(connection, walk.customer_id).latest(7)
    assert len(long) == len(short)
    assert (len(latest.entries), latest.older) == (7, len(whole.entries) + 50 - 7)


def test_the_export_holds_every_table_and_is_json(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        walk = story(connection, now)
        exported = export(connection, walk.customer_id)
        with pytest.raises(NotFound):
            export(connection, 999)
    of_customers = {table for table in metadata.tables.values() if "customer_id" in table.c}
    assert set(EXPORTED) == of_customers
    again = json.loads(json.dumps(exported))
    assert again["customer"]["attributes"] == {"name": SECRET}
    assert again["contact_points"][0]["address"] == "ann@example.test"
    assert again["signals"][0]["properties"] == {"owner": SECRET}
    assert len(again["timeline"]) > 15


def erasure(connection: Connection) -> PostgresErasure:
    return PostgresErasure(connection=connection, hash_key=lambda identity: identity)


def test_erasure_leaves_numbers_and_no_person(engine: Engine, now: datetime) -> None:
    later = now + 7 * HOUR
    with engine.begin() as connection:
        walk = story(connection, now)
        other = World(connection, now).customer("bob", attributes={"name": "Bob"})
        assert erasure(connection).lock(walk.customer_id) == [walk.customer_id]
        identities = erasure(connection).identities_of(walk.customer_id)
        assert identities == ("ann@example.test", "ann@example.test")
        erasure(connection).erase(walk.customer_id, later, identities=["key hash", "address hash"])
    with engine.begin() as connection:
        for table in metadata.tables.values():
            stored = str(connection.execute(select(table)).all())
            assert SECRET not in stored, table.name
            assert "ann@example.test" not in stored, table.name
        left = export(connection, walk.customer_id)
        assert left["customer"]["erased_at"] == later.isoformat()
        assert (len(left["messages"]), len(left["conversions"]), left["conversions"][0]["value"]) == (
            1,
            1,
            49.5,
        )
        assert customers.find(connection, "ann@example.test") is None
        known = customers.PostgresCustomers(connection=connection, hash_key=lambda key: key)
        assert known.forgotten(["key hash", "address hash"]) == {"key hash", "address hash"}
        assert customers.find(connection, "bob") is not None
        assert check_invariants(connection) == []
        assert known.ensure(["bob"], now) == {"bob": other}


def test_erasing_twice_changes_nothing(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        walk = story(connection, now)
        erasure(connection).erase(walk.customer_id, now, identities=["h"])
        once = export(connection, walk.customer_id)
        erasure(connection).erase(walk.customer_id, now, identities=["h"])
        assert export(connection, walk.customer_id) == once
        with pytest.raises(NotFound):
            erasure(connection).lock(999)


def test_erasing_takes_a_fixed_number_of_statements(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        walk = story(connection, now)
        rows = [
            {"customer_id": walk.customer_id, "name": "s", "id": 100 + n, "occurred_at": now, "received_at": now,
             "properties": {"a": n}} for n in range(50)
        ]  # fmt: skip
        connection.execute(insert(t.signals), rows)
    with counted(engine) as statements, engine.begin() as connection:
        erasure(connection).erase(walk.customer_id, now, identities=["a", "b", "c"])
        assert (
            connection.execute(text("SELECT count(*) FROM signals WHERE properties <> '{}'")).scalar_one()
            == 0
        )
    assert len(statements) < 20
