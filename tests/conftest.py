"""The services of the tests: a real PostgreSQL, Redis and RabbitMQ, and a database of its own for every test.

``database_url``, ``engine``      a database at the newest revision with no row in it
``empty_database_url``            a fresh database with nothing in it
``redis_url``                     a Redis shared by the tests of one process, emptied before each
``redis_server``                  a Redis of this test alone, to stop, kill and empty
``rabbitmq_url``                  a RabbitMQ that happens to run here

ORCHESTRATOR_TEST_DATABASE_URL, _REDIS_URL and _RABBITMQ_URL (same prefix) name servers to use instead;
ORCHESTRATOR_TEST_SYSTEM_POSTGRES=1 takes the machine's own PostgreSQL. Tests that use any of these bear the mark
``services``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from orchestrator.store.sql.connections import make_engine
from tests.support.connections import close_all_to, watch_pools
from tests.support.effort import LONG, load_profile
from tests.support.postgres import Databases, server_url
from tests.support.redis_server import RedisServer
from tests.support.run_folder import close_run, open_run
from tests.support.services import answers

load_profile()
watch_pools()

_SERVICES = {"postgres_url", "redis_url", "redis_server", "rabbitmq_url"}
_TESTS = Path(__file__).parent
_LONG_FIRST = {"faults", "acceptance", "docs", "browser"}
_opened = pytest.StashKey[Path | None]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_opened] = open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_opened, None)
    if folder is not None:
        if (folder / "template.server").exists():
            Databases((folder / "template.server").read_text()).drop_template()
        close_run(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _SERVICES & set(getattr(item, "fixturenames", ())):
            item.add_marker("services")
        if not LONG and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="left to the long run: make long"))
    items.sort(key=_starts_late)  # no long test begins when all others are over


def _starts_late(item: pytest.Item) -> bool:
    return not item.path.is_relative_to(_TESTS) or item.path.relative_to(_TESTS).parts[0] not in _LONG_FIRST


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The server's maintenance database."""
    return server_url()


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    made = Databases(postgres_url)
    yield made
    made.drop_spare()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    with databases.empty() as url:
        yield url
        close_all_to(url)


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    with databases.scratch() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url, application_name="tests")
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def _shared_redis() -> Iterator[str]:
    if given := os.environ.get("ORCHESTRATOR_TEST_REDIS_URL"):
        yield given
        return
    server = RedisServer()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_url(_shared_redis: str) -> str:
    with redis.Redis.from_url(_shared_redis) as client:
        client.flushdb()
    return _shared_redis


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """RabbitMQ comes with no package: where nobody promised one, its tests are skipped."""
    given = os.environ.get("ORCHESTRATOR_TEST_RABBITMQ_URL")
    if given:
        return given
    if not answers("127.0.0.1", 5672):
        pytest.skip("no RabbitMQ on 127.0.0.1:5672; set ORCHESTRATOR_TEST_RABBITMQ_URL to use another")
    return "amqp://guest:guest@127.0.0.1:5672//"
