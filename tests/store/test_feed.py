"""What a customer sees in the product, and what is noted of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from orchestrator.errors import InputError
from orchestrator.records.feed import FeedAction
from orchestrator.store import feed
from orchestrator.store.sql import tables as t
from tests.store.world import World

pytestmark = pytest.mark.contract

MINUTE = timedelta(minutes=1)


def test_only_what_may_be_seen_is_in_the_feed(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        customer = world.customer("ann")

        def item(playbook: str, **more: object) -> int:
            walk = world.enroll(customer, world.playbook(playbook))
            message = world.message(walk, channel="in_app")
            world.feed_item(walk, message, **more)
            return message

        fresh, read = item("fresh"), item("read", seen_at=now, shown_at=now - MINUTE)
        item("withdrawn", withdrawn_at=now)
        item("expired", expires_at=now)
        item("dismissed", dismissed_at=now)
        item("answered", answered_at=now)
        item("future", shown_at=now + MINUTE)
        lasting = item("lasting", expires_at=now + MINUTE, shown_at=now - 2 * MINUTE)

        seen = feed.visible(connection, customer, now)
        assert [found.playbook for found in seen] == ["fresh", "read", "lasting"]
        assert seen[0].content == {"text": "hello"}
        assert feed.mark(connection, customer, [fresh, read, lasting], "seen", now) == sorted(
            [fresh, lasting]
        )
        assert feed.visible(connection, world.customer("bob"), now) == []


def test_pages_follow_one_another(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        customer, playbook = world.customer("ann"), world.playbook("upsell")
        for number in range(5):
            walk = world.enroll(customer, playbook, reentry_key=str(number))
            world.feed_item(
                walk, world.message(walk, channel="in_app"), shown_at=now - MINUTE * (number // 2)
            )
        everything = [found.message_id for found in feed.visible(connection, customer, now)]
        paged: list[str] = []
        after = None
        while page := feed.visible(connection, customer, now, most=2, after=after):
            paged.extend(found.message_id for found in page)
            after = page[-1].cursor
        assert paged == everything
        assert len(paged) == 5
        for wrong in (
            "",
            "nonsense",
            f"{now.isoformat()}~m_0",
            f"{now.replace(tzinfo=None).isoformat()}~m_1-1",
        ):
            with pytest.raises(InputError, match="cursor"):
                feed.visible(connection, customer, now, after=wrong)


def test_the_first_action_counts_and_every_item_acted_on_was_seen(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        walk = world.enroll(world.customer("ann"), world.playbook("upsell"))
        message = world.message(walk, channel="in_app")
        world.feed_item(walk, message)

        def mark(action: FeedAction, minutes: int) -> list[int]:
            return feed.mark(connection, walk.customer_id, [message], action, now + minutes * MINUTE)

        assert mark("clicked", 5) == [message]
        assert mark("clicked", 6) == []
        assert mark("seen", 4) == []  # the click came first and says it was seen
        assert mark("dismissed", 3) == [message]
        assert mark("answered", 8) == [message]
        stored = connection.execute(select(t.feed_items)).one()
        assert (stored.seen_at, stored.clicked_at) == (now + 3 * MINUTE, now + 5 * MINUTE)
        assert (stored.dismissed_at, stored.answered_at) == (now + 3 * MINUTE, now + 8 * MINUTE)
        assert feed.mark(connection, walk.customer_id + 1, [message], "seen", now) == []
