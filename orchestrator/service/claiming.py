"""Whether this process may take customers: not while the fault is its own build's.

A failure that many of the customers in hand share is not theirs. Then nobody is set aside, this process takes nobody
more, and its readiness says why. Now and then one batch is tried, so what is put right outside (a migration that came
later) is found without a restart.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orchestrator.clock import monotonic
from orchestrator.telemetry import emit

SHARE = 0.2  # of the customers in hand: what fails for more of them is nobody's own fault
AT_LEAST = 5  # customers, so that two broken ones in a quiet hour stop nothing
REMEMBERED = 600.0  # seconds: batches may be small, so the share is counted over what was in hand since then
FIRST_TRY, LONGEST_TRY = 30.0, 300.0  # seconds until one batch is tried


@dataclass(frozen=True, kw_only=True, slots=True)
class _Counted:
    at: float
    taken: int
    failed: Counter[str]


@dataclass(kw_only=True)
class Claiming:
    """One per process, shared by its threads."""

    now: Callable[[], float] = monotonic
    _fault: str | None = None
    _try_at: float = 0.0
    _wait: float = FIRST_TRY
    _counted: deque[_Counted] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fault(self) -> str | None:
        """Why this process takes nobody; None while it does."""
        return self._fault

    def allowed(self) -> bool:
        """Whether a batch may be taken; of a stopped process one, each time its wait is over."""
        with self._lock:
            if self._fault is None:
                return True
            if self.now() < self._try_at:
                return False
            self._try_at = self.now() + self._wait
            return True

    def stop(self, fault: str) -> None:
        """Take nobody until a batch that is tried goes well."""
        with self._lock:
            new, self._fault = self._fault != fault, fault
            self._try_at = self.now() + self._wait
            self._wait = min(LONGEST_TRY, self._wait * 2)
        if new:
            emit("claiming.stopped", fault=fault)

    def worked(self) -> None:
        """A batch of customers went well."""
        with self._lock:
            was, self._fault = self._fault, None
            self._wait = FIRST_TRY
            if was is not None:
                self._counted.clear()
        if was is not None:
            emit("claiming.resumed", fault=was)

    def too_many(self, taken: int, failures: Iterable[str]) -> str | None:
        """The fault that too many of the ``taken`` customers have in common, or of those taken lately; else None.

        ``failures`` are the kinds of those of them who failed alone. Of the batch that a stopped process tries, all
        must not have failed, however few they are.
        """
        kinds = Counter(failures)
        with self._lock:
            now = self.now()
            while self._counted and self._counted[0].at < now - REMEMBERED:
                self._counted.popleft()
            self._remember(now, taken, kinds)
            if not kinds:
                return None
            kind = max(kinds, key=kinds.__getitem__)
            if self._fault is not None and kinds.total() == taken:
                return f"{kind} for {kinds[kind]} of {taken} customers"
            lately: Counter[str] = Counter()
            for one in self._counted:
                lately.update(one.failed)
            shares = ((kinds[kind], taken), (lately[kind], sum(one.taken for one in self._counted)))
            for count, whole in shares:
                if count >= AT_LEAST and count > SHARE * whole:
                    return f"{kind} for {count} of {whole} customers"
            return None

    def _remember(self, now: float, taken: int, kinds: Counter[str]) -> None:
        """In ten-second stretches, so that what is kept is bounded."""
        last = self._counted[-1] if self._counted else None
        if last is not None and now - last.at < REMEMBERED / 60:
            self._counted[-1] = _Counted(at=last.at, taken=last.taken + taken, failed=last.failed + kinds)
        else:
            self._counted.append(_Counted(at=now, taken=taken, failed=kinds))
