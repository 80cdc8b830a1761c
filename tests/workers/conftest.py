"""A worker process played by the test's own: its settings come from the environment, as they do in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer
from workers import process


@pytest.fixture
def as_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Become a worker with these settings; what it held is let go of at the end."""

    def become(**settings: object) -> None:
        for name, value in {"DATA_DIR": tmp_path, **settings}.items():
            monkeypatch.setenv(f"ORCHESTRATOR_{name}", str(value))
        monkeypatch.setenv("ORCHESTRATOR_SECRET_KEYS", "a-signing-key-of-the-worker-tests-long-enough")
        monkeypatch.setattr(process, "_held", None)

    yield become
    held = process._held
    if held is not None:
        if held.engine is not None:
            held.engine.close()
        if held.publisher is not None:
            held.publisher.close()


@pytest.fixture
def worker(as_worker: Callable[..., None], database_url: str, redis_server: RedisServer) -> RedisServer:
    """A worker over a real database and a Redis of its own, which is returned."""
    as_worker(DATABASE_URL=database_url, BROKER_URL=redis_server.url)
    return redis_server
