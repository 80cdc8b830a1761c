"""Provider gates: which providers may be given messages now. They gate the claim and are no policy of a message.

A provider that fails again and again is left alone for a while (a breaker): its messages stay planned, use no
attempt, and the other channels go on. Time-outs and 5xx count, a refused message does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from channels.base import Handed, Result
from orchestrator.clock import monotonic
from orchestrator.telemetry import emit

FAILURES = 5  # in a row
CLOSED_FOR = 30.0  # seconds of machine time
_INSTANT = 1e-6  # what counts as the same instant


@dataclass(kw_only=True)
class _Breaker:
    failures: int = 0
    closed_until: float = 0.0


@dataclass(kw_only=True)
class Gates:
    """One per process. ``providers`` are asked anew each time: channels may be added while it runs."""

    providers: Callable[[], Iterable[str]]
    now: Callable[[], float] = monotonic
    _breakers: dict[str, _Breaker] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_now(self) -> list[str]:
        """The providers that may be given messages."""
        with self._lock:
            now = self.now()
            return [
                name
                for name in dict.fromkeys(self.providers())
                if name not in self._breakers or self._breakers[name].closed_until <= now + _INSTANT
            ]

    def waits(self) -> dict[str, float]:
        """The providers that are left alone, and for how many seconds more."""
        with self._lock:
            now = self.now()
            left = {name: breaker.closed_until - now for name, breaker in self._breakers.items()}
        return {name: seconds for name, seconds in left.items() if seconds > _INSTANT}

    def report(self, handed: Handed) -> None:
        """Learn from one answer."""
        failed = handed.result in (Result.UNCERTAIN, Result.TRY_AGAIN)
        with self._lock:
            breaker = self._breakers.setdefault(handed.provider, _Breaker())
            if not failed:
                breaker.failures = 0
                return
            breaker.failures += 1
            wait = handed.retry_after or (CLOSED_FOR if breaker.failures >= FAILURES else 0.0)
            breaker.closed_until = max(breaker.closed_until, self.now() + wait)
            opened = breaker.failures == FAILURES
        if opened:
            emit("provider.breaker_opened", provider=handed.provider, failures=FAILURES, until=CLOSED_FOR)
