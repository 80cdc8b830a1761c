"""The services the tests stand on do what their names promise."""

from __future__ import annotations

import redis
from sqlalchemy import Engine, text

from orchestrator.store import migrate
from tests.support.redis_server import RedisServer


def test_a_test_finds_a_database_at_the_newest_revision(engine: Engine, database_url: str) -> None:
    assert migrate.current(database_url) == migrate.head()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (n int)"))


def test_what_another_test_left_behind_is_not_there(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT to_regclass('left_behind')")).scalar_one() is None


def test_redis_is_empty_at_the_start_of_a_test(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("*") == []
        client.set("left", "behind")


def test_redis_is_empty_at_the_start_of_the_next_test_too(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("*") == []


def test_a_redis_that_was_killed_comes_back_empty_at_the_same_place(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("held", "in memory")
    redis_server.kill()
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("held") is None
