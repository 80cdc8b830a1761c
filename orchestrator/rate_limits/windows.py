"""How often something may happen: so many times in any stretch of so many seconds, and who counts in this process.

Windows move. A fixed window lets twice the rate pass where two of them meet, and a sliding counter only guesses how the
last one was filled; both would show a provider more than was agreed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.clock import monotonic

MOST_KEYS = 20_000  # windows one process keeps; beyond them the one used longest ago is forgotten
_INSTANT = 1e-6  # what counts as the same instant


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """At most ``amount`` in any ``seconds``."""

    amount: int
    seconds: int


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
