"""What a fake provider remembers: every request in the order in which it came, on a clock that only counts.

The clock is logical: each entry and each stamp takes the next number. A test that stamps its own events on the
same clock (an opt-out's commit, say) can prove what came before what without trusting any wall clock.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Entry:
    """One request: when it began and ended, what it asked, whether the provider took it, what it answered."""

    at: int
    service: str
    operation: str
    method: str
    path: str
    fields: dict[str, Any]
    message_id: str | None = None
    to: str | None = None
    taken: bool = False
    status: int | None = None
    ended_at: int | None = None
    fault: str | None = None
    provider_id: str | None = None
    violations: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Ledger:
    """All entries and stamps, safe to use from every thread of the server."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._now = 0
        self._entries: list[Entry] = []
        self._stamps: list[tuple[int, str]] = []

    def tick(self) -> int:
        with self._lock:
            self._now += 1
            return self._now

    def stamp(self, label: str) -> int:
        """Put an event of the test's own onto the clock."""
        with self._lock:
            at = self.tick()
            self._stamps.append((at, label))
            return at

    def begin(self, **facts: Any) -> Entry:
        with self._changed:
            entry = Entry(at=self.tick(), **facts)
            self._entries.append(entry)
            self._changed.notify_all()
            return entry

    def end(self, entry: Entry, status: int | None) -> None:
        with self._changed:
            entry.status, entry.ended_at = status, self.tick()
            self._changed.notify_all()

    def wait_for(self, count: int, *, service: str | None = None, seconds: float = 10.0) -> list[Entry]:
        """Entries, once at least ``count`` have begun."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.entries(service)) >= count, timeout=seconds):
                raise AssertionError(
                    f"expected {count} requests, {len(self.entries(service))} came in {seconds:g} s"
                )
            return self.entries(service)

    def entries(self, service: str | None = None) -> list[Entry]:
        with self._lock:
            return [entry for entry in self._entries if service in (None, entry.service)]

    def sends(self) -> list[Entry]:
        """The requests by which a message was really taken."""
        with self._lock:
            return [entry for entry in self._entries if entry.taken and entry.operation.startswith("send")]

    def violations(self) -> list[str]:
        with self._lock:
            return [
                f"{entry.method} {entry.path}: {words}"
                for entry in self._entries
                for words in entry.violations
            ]

    def stamps(self) -> list[tuple[int, str]]:
        with self._lock:
            return list(self._stamps)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._stamps.clear()
