"""The views people query: present, documented, replaced when the software's differ."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from orchestrator.store import migrate
from orchestrator.store.reports import views
from tests.store.world import World

pytestmark = pytest.mark.contract


def test_every_view_is_there_and_documented(engine: Engine) -> None:
    with engine.connect() as connection:
        for view in views.VIEWS:
            connection.execute(text(f"SELECT * FROM {view.name}")).all()
            about = connection.scalar(text(f"SELECT obj_description('{view.name}'::regclass, 'pg_class')"))
            assert about == view.about


def test_an_up_to_date_database_is_not_touched(engine: Engine) -> None:
    query = text("SELECT oid FROM pg_class WHERE relname = 'v_funnel'")
    with engine.connect() as connection:
        before = connection.scalar(query)
    migrate.upgrade(engine.url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        assert connection.scalar(query) == before


def test_other_views_than_this_software_knows_are_replaced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setattr(views, "VIEWS", views.VIEWS[:2])
    migrate.upgrade(url)
    with engine.connect() as connection:
        names = (
            connection.execute(text("SELECT viewname FROM pg_views WHERE schemaname = 'public'"))
            .scalars()
            .all()
        )
    assert set(names) == {"v_enrollments", "v_messages"}


def test_the_funnel_counts_visits_and_words(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        playbook = world.playbook("upsell")
        for number, outcome in enumerate(["clicked", "dismissed", "dismissed", None]):
            walk = world.enroll(world.customer(f"c{number}"), playbook, step="banner")
            if outcome:
                world.move(walk, outcome, "email", at=now + timedelta(hours=1))
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT step, entered, live, outcome, left_by_outcome FROM v_funnel")
        ).all()
    assert {tuple(row) for row in rows} == {
        ("banner", 4, 1, "clicked", 1),
        ("banner", 4, 1, "dismissed", 2),
        ("email", 3, 3, None, 0),
    }


def test_contactable_tells_what_stands_in_the_way(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        free, quiet = world.customer("free"), world.customer("quiet")
        for customer in (free, quiet):
            world.contact(customer, "email", f"{customer}@example.test")
        world.consent(quiet, granted=False, channel="*", topic="*")
        world.cooldown(quiet, until=datetime(2999, 1, 1, tzinfo=now.tzinfo))
        world.hold(quiet, "support_ticket")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM v_customers_contactable WHERE channel = 'email'")).all()
    told = {row.customer_key: row for row in rows}
    assert (told["free"].has_valid_address, told["free"].opted_out_of_everything) == (True, False)
    assert told["free"].resting_until is None
    assert told["quiet"].opted_out_of_everything
    assert told["quiet"].resting_until is not None
    assert told["quiet"].on_hold == ["support_ticket"]


def test_messages_conversions_and_opt_outs_read_plainly(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        playbook = world.playbook("upsell", version=3)
        ann = world.enroll(world.customer("ann"), playbook)
        clicked = world.message(ann, responses={"opened": now.isoformat(), "clicked": now.isoformat()})
        world.convert(ann, value=10, message_id=clicked, at=now + timedelta(days=1))
        bob = world.enroll(world.customer("bob"), playbook, held_out=True)
        world.message(bob, status="held_out")
        world.convert(bob, held_out=True)
        world.consent(ann.customer_id, granted=False, topic="events")
        world.verdict(ann, clicked, "quiet_hours", "defer", count=5)
    with engine.connect() as connection:
        messages = connection.execute(text("SELECT * FROM v_messages ORDER BY customer_key")).all()
        conversions = connection.execute(text("SELECT * FROM v_conversions ORDER BY customer_key")).all()
        (opt_out,) = connection.execute(text("SELECT * FROM v_opt_outs")).all()
        times = connection.execute(
            text("SELECT times FROM v_verdicts WHERE policy = 'quiet_hours'")
        ).scalar_one()
        walks = connection.execute(text("SELECT * FROM v_enrollments ORDER BY customer_key")).all()
    assert [(row.customer_key, row.version, row.arm, row.status) for row in messages] == [
        ("ann", 3, "contacted", "sent"),
        ("bob", 3, "held_out", "held_out"),
    ]
    assert (messages[0].opened_at, messages[0].clicked_at, messages[0].replied_at) == (now, now, None)
    assert [(row.arm, row.value, row.last_touch_channel) for row in conversions] == [
        ("contacted", 10, "email"),
        ("held_out", None, None),
    ]
    assert conversions[0].days_to_convert == 1
    assert (opt_out.customer_key, opt_out.topic, opt_out.still_in_force) == ("ann", "events", True)
    assert times == 5
    assert [(row.is_live, row.conversion_value) for row in walks] == [(True, 10), (True, None)]
