"""A client of Redis that waits for no answer long, and one rule for a Redis that does not answer: it is left alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from orchestrator.clock import monotonic
from orchestrator.telemetry import emit

if TYPE_CHECKING:
    import redis

LEFT_ALONE = 5.0  # seconds Redis is not asked again after it did not answer
PATIENCE = 0.3  # seconds one answer of Redis is waited for

T = TypeVar("T")


def make_pool(url: str) -> redis.ConnectionPool:
    """Connections that fail after :data:`PATIENCE` and are not tried again."""
    import redis  # noqa: PLC0415 - without Redis its library is never loaded
    from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
    from redis.retry import Retry  # noqa: PLC0415 - as above

    return redis.ConnectionPool.from_url(
        url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    )


class Reach:
    """Whether Redis is asked. Never raises; ``used_for`` is said in the log when Redis is away, once an outage."""

    def __init__(self, used_for: str, now: Callable[[], float] = monotonic) -> None:
        self._used_for = used_for
        self._now = now
        self._lock = threading.Lock()
        self._asked_again_at = 0.0
        self._away = False

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer; None when there is none, or when Redis is left alone."""
        if self._now() < self._asked_again_at:
            return None
        try:
            answer = question()
        except Exception as error:  # noqa: BLE001 - of two libraries; what cannot be asked must stop nobody
            self._failed(error)
            return None
        self._away = False
        return answer

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._asked_again_at = self._now() + LEFT_ALONE
            told, self._away = self._away, True
        if not told:
            emit("redis.unavailable", error=type(error).__name__, used_for=self._used_for)
