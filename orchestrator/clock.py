"""The two times of the engine and the only place that reads a clock.

*Business time* is what waits, caps and quiet hours are written in. It may be shifted or scaled; its anchor and rate
are one row of the database, read by :mod:`orchestrator.store.coordination.clock`, so every process sees the same
instant. *Machine time* is never scaled: leases, back-offs and time-outs are written in it, by the database's clock
across processes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Instants:
    """Both times at one reading, UTC. ``rate`` is how much business time passes in a second of machine time."""

    business: datetime
    machine: datetime
    rate: float = 1.0


class VirtualClock:
    """A clock that moves only when told: simulations, backtests and tests. Both times are the same instant."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    @property
    def now(self) -> datetime:
        return self._now

    def read(self, _connection: object) -> Instants:
        return Instants(business=self._now, machine=self._now)

    def advance(self, span: timedelta) -> datetime:
        return self.move_to(self._now + span)

    def move_to(self, instant: datetime) -> datetime:
        """Go forward to ``instant``; an earlier one leaves the clock where it is."""
        self._now = max(self._now, instant)
        return self._now


def monotonic() -> float:
    """Seconds of machine time within this process: for time slices and the two-second rule."""
    return time.monotonic()


def system_now() -> datetime:
    """The machine's own instant, UTC: for signatures that a stranger checks against another clock."""
    return datetime.now(UTC)
