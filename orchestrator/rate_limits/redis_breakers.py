"""Breakers that all processes share: one value a provider in Redis, whose clock all instants are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import redis

from orchestrator.rate_limits.breaker import CLOSED, BreakerState, Change, Changed
from orchestrator.rate_limits.redis_client import make_pool

_TRIES = 10  # others may change the same breaker at the same moment
_FAILURES_KEPT = 60.0  # seconds: failures so far apart are not of one trouble
_KEPT = 3600.0  # seconds after an open breaker's time is over; then nobody has called for an hour


class RedisStates:
    """An :class:`orchestrator.rate_limits.breaker.SharedStates`. Raises what Redis raises."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis(connection_pool=make_pool(url))

    def change(self, provider: str, change: Change) -> Changed:
        """Optimistic: what another process changed meanwhile is read again."""
        key = _key(provider)
        for _ in range(_TRIES):
            with self._client.pipeline() as pipe:
                pipe.watch(key)  # type: ignore[no-untyped-call]
                at = seconds_of(pipe.time())
                before = _state(pipe.get(key))
                after = change(before, at)
                if after == before:
                    return Changed(before=before, after=after, at=at)
                pipe.multi()
                if after == CLOSED:
                    pipe.delete(key)
                else:
                    kept = max(after.until - at, 0.0) + _KEPT if after.is_open else _FAILURES_KEPT
                    pipe.set(key, json.dumps(asdict(after)), px=int(kept * 1000))
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return Changed(before=before, after=after, at=at)
        raise redis.WatchError("changed again and again")

    def read(self, providers: Sequence[str]) -> tuple[Mapping[str, BreakerState], float]:
        with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.mget([_key(provider) for provider in providers])
            time, values = pipe.execute()
        found = {name: _state(value) for name, value in zip(providers, values, strict=True) if value}
        return found, seconds_of(time)


def _key(provider: str) -> str:
    return f"orchestrator:breaker:{provider}"


def seconds_of(time: tuple[int, int]) -> float:
    """Redis's answer to ``TIME``, in seconds."""
    return time[0] + time[1] / 1_000_000


def _state(value: bytes | str | None) -> BreakerState:
    """What another release wrote and this one cannot read counts as closed."""
    if not value:
        return CLOSED
    try:
        return BreakerState(**json.loads(value))
    except (TypeError, ValueError):
        return CLOSED
