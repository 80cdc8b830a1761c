"""Machine time that a test lets pass, as the rates of one process and those in Redis see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from orchestrator import clock
from orchestrator.rate_limits.redis_breakers import seconds_of


class MachineTime:
    """The machine's own time and so many seconds more. Engines built before do not notice."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._passed = 0.0
        for where in (
            "orchestrator.bootstrap",
            "orchestrator.rate_limits.limiter",
            "orchestrator.rate_limits.windows",
            "orchestrator.rate_limits.redis_windows",
        ):
            monkeypatch.setattr(f"{where}.monotonic", self.monotonic)
        monkeypatch.setattr("orchestrator.rate_limits.redis_windows.system_now", self.now)
        monkeypatch.setattr(
            "orchestrator.rate_limits.redis_breakers.seconds_of", lambda time: seconds_of(time) + self._passed
        )
        monkeypatch.setattr("limits.storage.redis.time", SimpleNamespace(time=lambda: self.now().timestamp()))

    def pass_(self, seconds: float) -> None:
        self._passed += seconds

    def monotonic(self) -> float:
        return clock.monotonic() + self._passed

    def now(self) -> datetime:
        return clock.system_now() + timedelta(seconds=self._passed)
