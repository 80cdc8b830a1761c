"""Windows that all processes share: the *moving window* of the library `limits`, in Redis.

Each thing that happened is one timestamp in a list, so a rate costs as much memory as its amount; the timestamps are
those of the machines, whose clocks must agree as far as the rates are to be exact.
"""

from __future__ import annotations

import redis
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from orchestrator.clock import monotonic, system_now
from orchestrator.rate_limits.redis_client import make_pool
from orchestrator.rate_limits.windows import Granted, Rate

_TRIES = 3  # others may take what was free a moment ago
_SHORTEST = 0.001  # seconds: whoever waits for less would ask again in vain


class RedisWindows:
    """An :class:`orchestrator.rate_limits.windows.Windows`. Raises what Redis and `limits` raise."""

    def __init__(self, url: str) -> None:
        pool = make_pool(url)
        self._client = redis.Redis(connection_pool=pool)
        self._storage = RedisStorage(url, connection_pool=pool, key_prefix="orchestrator")
        self._limiter = MovingWindowRateLimiter(self._storage)

    def take(self, rate: Rate, key: str, wanted: int) -> Granted:
        item = RateLimitItemPerSecond(rate.amount, rate.seconds, namespace="rates")
        asked_at = monotonic()
        for _ in range(_TRIES):
            window = self._limiter.get_window_stats(item, key)
            count = max(0, min(wanted, window.remaining))
            if not count or self._limiter.hit(item, key, cost=count):
                left = window.reset_time - system_now().timestamp()
                return Granted(
                    count=count,
                    again_in=max(_SHORTEST, left) if count < wanted else 0.0,
                    give_back=lambda unused: self._back(item, key, asked_at, unused),
                )
        return Granted(count=0, again_in=_SHORTEST, give_back=lambda _: None)

    def _back(self, item: RateLimitItemPerSecond, key: str, asked_at: float, unused: int) -> None:
        """The newest go: if others came after ours, ours stand for theirs, and are over a moment sooner."""
        if unused > 0 and monotonic() - asked_at < item.get_expiry():  # later they are gone by themselves
            self._client.ltrim(self._storage.prefixed_key(item.key_for(key)), unused, -1)
