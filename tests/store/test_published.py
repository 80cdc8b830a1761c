"""A published version never changes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from orchestrator.errors import Conflict
from orchestrator.records.playbook_version import PlaybookVersion
from orchestrator.store import published

pytestmark = pytest.mark.contract


def sample(*, name: str = "upsell", version: int = 1, content_hash: str = "h1") -> PlaybookVersion:
    return PlaybookVersion(
        name=name,
        version=version,
        content_hash=content_hash,
        definition={"title": "t", "steps": [{"name": "banner"}]},
        templates={"banner.in_app.html": "hello"},
        texts={},
        vocabulary={},
        functions=("make_coupon",),
    )


def test_a_version_is_stored_once(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        first = published.store_version(connection, sample(), now)
        assert published.store_version(connection, sample(), now + timedelta(days=1)) == first
        second = published.store_version(connection, sample(version=3, content_hash="h3"), now)
        other = published.store_version(connection, sample(name="events"), now)
        assert [(row.name, row.version) for row in published.newest(connection)] == [
            ("events", 1),
            ("upsell", 3),
        ]
        assert {row.id: row.functions for row in published.newest(connection)} == {
            second: ("make_coupon",),
            other: ("make_coupon",),
        }
        assert [row.version for row in published.versions(connection, "upsell")] == [3, 1]


def test_changed_content_under_an_old_version_is_refused(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        published.store_version(connection, sample(version=4), now)
        with pytest.raises(Conflict, match="write `version: 5`"):
            published.store_version(connection, sample(version=4, content_hash="other"), now)
        with pytest.raises(Conflict, match="older"):
            published.store_version(connection, sample(version=2, content_hash="h2"), now)


def test_a_playbook_is_paused_with_its_first_reason(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        published.pause(connection, "upsell", "wrong price", now)
        published.pause(connection, "upsell", "again", now)
        assert published.paused(connection) == {"upsell": "wrong price"}
        published.resume(connection, "upsell")
        assert published.paused(connection) == {}


def test_the_policy_published_last_is_the_newest(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        assert published.newest_policy(connection) is None
        first = published.store_policy(connection, "a", {"caps": []}, now)
        second = published.store_policy(connection, "b", {"caps": [1]}, now + timedelta(hours=1))
        newest = published.newest_policy(connection)
        assert newest is not None
        assert newest.id == second
        assert published.store_policy(connection, "a", {"caps": []}, now + timedelta(hours=2)) == first
        newest = published.newest_policy(connection)
        assert newest is not None
        assert newest.id == first
