"""The circuit breakers of all providers, as one process sees them.

Where there is Redis the processes share one view: it is read before a batch, and changed by a failure, by the
good answers that make up for it, and by whoever takes the probe; calls that go well ask nobody. While Redis is away the
view of each process stands. None of it is truth: it may be lost at any moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from orchestrator.clock import monotonic
from orchestrator.rate_limits.breaker import (
    CLOSED,
    BreakerRules,
    BreakerState,
    Change,
    Changed,
    SharedStates,
    answered,
    failed,
    probed,
)
from orchestrator.rate_limits.redis_client import Reach
from orchestrator.telemetry import emit

READ_EVERY = 1.0  # seconds after which the shared view is read again


class Breakers:
    """The breakers of all providers. Thread-safe, never raises, and waits for Redis less than two seconds."""

    def __init__(
        self,
        *,
        shared: SharedStates | None = None,
        rules: BreakerRules | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.rules = rules or BreakerRules()
        self._shared = shared
        self._now = now
        self._reach = Reach("breakers", now)
        self._states: dict[str, BreakerState] = {}
        self._alone: set[str] = set()  # changed while Redis was away
        self._read_at = -READ_EVERY
        self._lock = threading.Lock()  # for the view, held for an instant
        self._changing = (
            threading.Lock()
        )  # for whoever talks to Redis: else threads would race each other there

    def room(self, providers: Iterable[str], most: int) -> dict[str, int]:
        """How many messages are worth marking for each: ``most``, one for a probe, or none and then not named."""
        names = list(dict.fromkeys(providers))
        self._read(names)
        with self._lock:
            now = self._now()
            states = {name: self._states.get(name, CLOSED) for name in names}
        return {
            name: 1 if state.is_open else most
            for name, state in states.items()
            if not state.closed_to_all(now)
        }

    def may_call(self, provider: str) -> bool:
        """Asked right before each call. True while closed, and once when the time of an open one is over."""
        with self._lock:
            state = self._states.get(provider)
            if state is None or not state.is_open:
                return True
            if state.closed_to_all(self._now()):
                return False
        done = self._change(provider, lambda state, now: probed(state, now, rules=self.rules))
        return not done.before.is_open or done.after != done.before

    def report(self, provider: str, *, ok: bool, retry_after: float | None = None) -> None:
        """Learn from one call. ``retry_after`` are the seconds that the provider asked for."""
        with self._lock:
            state, now = self._states.get(provider, CLOSED), self._now()
        if (state.waits(now) and not retry_after) or (ok and state == CLOSED):
            return  # nothing would change: the others are not asked

        def change(state: BreakerState, now: float) -> BreakerState:
            if ok:
                return answered(state, now, rules=self.rules)
            return failed(state, now, retry_after=retry_after, rules=self.rules)

        done = self._change(provider, change)
        if done.after.opened > done.before.opened:
            seconds = round(done.after.until - done.at, 3)
            emit("provider.breaker_opened", provider=provider, failures=done.after.failures, seconds=seconds)
        elif done.before.is_open and not done.after.is_open:
            emit("provider.breaker_closed", provider=provider)

    def closed_until(self) -> dict[str, float]:
        """The instants, by this process's clock, before which providers may not be called."""
        with self._lock:
            return {
                name: max(state.until, state.probe_until)
                for name, state in self._states.items()
                if state.is_open
            }

    def _change(self, provider: str, change: Change) -> Changed:
        with self._changing:
            shared = self._shared
            done = None if shared is None else self._reach.ask(lambda: shared.change(provider, change))
            with self._lock:
                now = self._now()
                if done is not None:
                    self._states[provider] = done.after.moved(now - done.at)
                    self._alone.discard(provider)
                    return done
                before = self._states.get(provider, CLOSED)
                after = self._states[provider] = change(before, now)
                if shared is not None:
                    self._alone.add(provider)
            return Changed(before=before, after=after, at=now)

    def _read(self, providers: Sequence[str]) -> None:
        shared = self._shared
        if shared is None or self._now() < self._read_at + READ_EVERY:
            return
        with self._changing:
            self._read_at = self._now()
            for name in sorted(self._alone):
                self._tell(shared, name)
            found = self._reach.ask(lambda: shared.read(providers))
            if found is None:
                return
            states, at = found
            with self._lock:
                ahead = self._now() - at
                for name in providers:
                    if name not in self._alone:
                        self._states[name] = states.get(name, CLOSED).moved(ahead)

    def _tell(self, shared: SharedStates, provider: str) -> None:
        """What was learnt while Redis was away: of two views the one that waits longer stands."""
        with self._lock:
            state, now = self._states[provider], self._now()

        def merge(theirs: BreakerState, at: float) -> BreakerState:
            ours = state.moved(at - now)
            return ours if ours.is_open and ours.until > theirs.until else theirs

        if self._reach.ask(lambda: shared.change(provider, merge)) is not None:
            self._alone.discard(provider)


def make_breakers(redis_url: str | None, *, now: Callable[[], float] = monotonic) -> Breakers:
    """Breakers over all processes that use this Redis; without one, of this process."""
    if redis_url is None:
        return Breakers(now=now)

    from orchestrator.rate_limits.redis_breakers import RedisStates  # noqa: PLC0415 - without Redis its library is never loaded

    return Breakers(shared=RedisStates(redis_url), now=now)
