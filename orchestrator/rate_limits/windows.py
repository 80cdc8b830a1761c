"""How often something may happen: so many times in any stretch of so many seconds.

A :class:`Limiter` counts twice, in this process always and over all processes in Redis where there is one; what both
let pass may happen. So one process alone never exceeds a rate, whatever becomes of Redis, and while Redis is away each
process holds the rate by its own count. None of it is truth: all counts may be lost at any moment.

Windows move. A fixed window lets twice the rate pass where two of them meet, and a sliding counter only guesses how the
last one was filled; both would show a provider more than was agreed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.clock import monotonic
from orchestrator.telemetry import emit

LEFT_ALONE = 5.0  # seconds Redis is not asked again after it did not answer
MOST_KEYS = 20_000  # windows one process keeps; beyond them the one used longest ago is forgotten
_INSTANT = 1e-6  # what counts as the same instant


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """At most ``amount`` in any ``seconds``."""

    amount: int
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRate:
    """How many messages a provider is given."""

    provider: str
    rate: Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What was let pass. ``again_in`` are the seconds until one more may be, 0 when all that was wanted was given."""

    count: int
    again_in: float
    give_back: Callable[[int], None] = field(repr=False, compare=False)
    """Says that so many of them did not happen after all."""


class Windows(Protocol):
    """Counts by key."""

    def take(self, rate: Rate, key: str, wanted: int) -> Granted: ...


class OwnWindows:
    """The windows of this process, in its machine time."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._windows: OrderedDict[tuple[Rate, str], _Window] = OrderedDict()

    def take(self, rate: Rate, key: str, wanted: int) -> Granted:
        with self._lock:
            now = self._now()
            window = self._windows.setdefault((rate, key), _Window())
            self._windows.move_to_end((rate, key))
            while len(self._windows) > MOST_KEYS:
                self._windows.popitem(last=False)
            window.forget(before=now - rate.seconds + _INSTANT)
            batch = _Batch(at=now, count=max(0, min(wanted, rate.amount - window.total)))
            if batch.count:
                window.batches.append(batch)
                window.total += batch.count
            again_in = window.batches[0].at + rate.seconds - now if batch.count < wanted else 0.0
        return Granted(
            count=batch.count, again_in=again_in, give_back=lambda unused: self._back(window, batch, unused)
        )

    def _back(self, window: _Window, batch: _Batch, unused: int) -> None:
        with self._lock:
            unused = min(unused, batch.count)  # none when its time is over
            batch.count -= unused
            window.total -= unused


@dataclass(kw_only=True, slots=True)
class _Batch:
    at: float
    count: int


@dataclass(kw_only=True, slots=True)
class _Window:
    """What happened lately, the oldest first."""

    batches: deque[_Batch] = field(default_factory=deque)
    total: int = 0

    def forget(self, *, before: float) -> None:
        while self.batches and (self.batches[0].at <= before or not self.batches[0].count):
            over = self.batches.popleft()
            self.total -= over.count
            over.count = 0


class Limiter:
    """What may happen now. Never raises, and waits for Redis less than a second."""

    def __init__(self, *, shared: Windows | None = None, now: Callable[[], float] = monotonic) -> None:
        self._own = OwnWindows(now)
        self._shared = shared
        self._now = now
        self._asked_again_at = 0.0
        self._away = False

    def take(self, rate: Rate, key: str, wanted: int = 1) -> Granted:
        """As many of ``wanted`` as may happen now."""
        own = self._own.take(rate, key, wanted)
        if self._shared is None or not own.count or self._now() < self._asked_again_at:
            return own
        try:
            shared = self._shared.take(rate, key, own.count)
        except Exception as error:  # noqa: BLE001 - of two libraries; a count that cannot be had must stop nobody
            self._failed(error)
            return own
        self._away = False
        own.give_back(own.count - shared.count)

        def give_back(unused: int) -> None:
            own.give_back(unused)
            try:
                shared.give_back(unused)
            except Exception as error:  # noqa: BLE001 - as above
                self._failed(error)

        return Granted(count=shared.count, again_in=shared.again_in or own.again_in, give_back=give_back)

    def _failed(self, error: Exception) -> None:
        self._asked_again_at = self._now() + LEFT_ALONE
        if not self._away:
            emit("redis.unavailable", error=type(error).__name__, used_for="rates")
        self._away = True


def make_limiter(redis_url: str | None, *, now: Callable[[], float] = monotonic) -> Limiter:
    """A limiter over all processes that use this Redis; without one, of this process."""
    if redis_url is None:
        return Limiter(now=now)

    from orchestrator.rate_limits.redis_windows import RedisWindows  # noqa: PLC0415 - without Redis its libraries are never loaded

    return Limiter(shared=RedisWindows(redis_url), now=now)


class ProviderRates:
    """The rates of providers: an :class:`orchestrator.service.delivery.provider_gates.Rates`."""

    def __init__(self, rates: Iterable[ProviderRate], limiter: Limiter) -> None:
        self._rates: Mapping[str, Rate] = {one.provider: one.rate for one in rates}
        self._limiter = limiter

    def __contains__(self, provider: str) -> bool:
        return provider in self._rates

    def take(self, provider: str, wanted: int) -> Granted:
        return self._limiter.take(self._rates[provider], f"provider/{provider}", wanted)


def parse_provider_rates(text: str) -> tuple[ProviderRate, ...]:
    """Read ``provider=100/second``, several separated by commas; all that is wrong in one ValueError."""
    found: list[ProviderRate] = []
    problems: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        provider, _, written = (side.strip() for side in part.partition("="))
        rate = _parse_rate(written) if provider else None
        if rate is None:
            problems.append(
                f"{part!r}: expected provider=amount/second, minute, hour or day, such as twilio=10/second or"
                " twilio=30/2 minutes"
            )
        elif any(one.provider == provider for one in found):
            problems.append(f"{provider!r} is named twice; a provider has one rate")
        else:
            found.append(ProviderRate(provider=provider, rate=rate))
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found)


def _parse_rate(text: str) -> Rate | None:
    from limits import parse_many  # noqa: PLC0415 - a tenth of a second, for those alone who set rates

    try:
        (item,) = parse_many(text)
    except ValueError:
        return None
    return Rate(amount=item.amount, seconds=item.get_expiry()) if item.amount else None
