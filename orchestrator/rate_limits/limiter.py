"""What may happen now, by two counts: this process's always, and that of all processes in Redis where there is one.

What both let pass may happen. So one process alone never exceeds a rate, whatever becomes of Redis, and while Redis is
away each process holds the rate by its own count. None of it is truth: all counts may be lost at any moment.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.clock import monotonic
from orchestrator.rate_limits.redis_client import Reach
from orchestrator.rate_limits.windows import Granted, OwnWindows, Rate, Windows


class Limiter:
    """What may happen now. Never raises, and waits for Redis less than a second."""

    def __init__(self, *, shared: Windows | None = None, now: Callable[[], float] = monotonic) -> None:
        self._own = OwnWindows(now)
        self._shared = shared
        self._reach = Reach("rates", now)

    def take(self, rate: Rate, key: str, wanted: int = 1) -> Granted:
        """As many of ``wanted`` as may happen now."""
        own = self._own.take(rate, key, wanted)
        windows = self._shared
        if windows is None or not own.count:
            return own
        shared = self._reach.ask(lambda: windows.take(rate, key, own.count))
        if shared is None:  # a count that cannot be had must stop nobody
            return own
        own.give_back(own.count - shared.count)

        def give_back(unused: int) -> None:
            own.give_back(unused)
            self._reach.ask(lambda: shared.give_back(unused))

        return Granted(count=shared.count, again_in=shared.again_in or own.again_in, give_back=give_back)


def make_limiter(redis_url: str | None, *, now: Callable[[], float] = monotonic) -> Limiter:
    """A limiter over all processes that use this Redis; without one, of this process."""
    if redis_url is None:
        return Limiter(now=now)

    from orchestrator.rate_limits.redis_windows import RedisWindows  # noqa: PLC0415 - without Redis its libraries are never loaded

    return Limiter(shared=RedisWindows(redis_url), now=now)
