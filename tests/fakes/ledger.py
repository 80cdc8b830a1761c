"""What a fake provider remembers: every request in the order in which it came, on a clock that only counts.

The clock is logical: each entry and each stamp takes the next number. A test that stamps its own events on the
same clock (an opt-out's commit, say) can prove what came before what without trusting any wall clock.

``began`` and ``answered`` are seconds of the machine's monotonic clock, which all its processes share: a judge that
runs on the same machine may hold its own instants against them.
"""

from __future__ import annotations

import threading
import time
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
    began: float = 0.0
    answered: float | None = None
    opened: float | None = None
    """When the call began, for a message that is taken by the last of several requests about it."""
    one_click: str | None = None
    """The address of a mail's List-Unsubscribe header."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Ledger:
    """All entries and stamps, safe to use from every thread of the server."""

    def __init__(self, *, brief: bool = False) -> None:
        self.brief = brief
        """Whether what a request asked is forgotten once it is answered: for runs of many messages."""
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._now = 0
        self._entries: list[Entry] = []
        self._stamps: list[tuple[int, str]] = []
        self._opened: dict[str, float] = {}

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
            entry = Entry(at=self.tick(), began=time.monotonic(), **facts)
            if entry.message_id and entry.operation.startswith("send"):
                entry.opened = self._opened.pop(entry.message_id, None)
            elif entry.message_id:
                self._opened[entry.message_id] = entry.began
            self._entries.append(entry)
            self._changed.notify_all()
            return entry

    def end(self, entry: Entry, status: int | None) -> None:
        with self._changed:
            entry.status, entry.ended_at, entry.answered = status, self.tick(), time.monotonic()
            if self.brief:
                entry.fields = {}
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

    def calls(self, *, after: int = 0, most: int = 5000) -> tuple[list[tuple[int, Entry]], int]:
        """The requests to take a message, whatever became of them, each with its place in the ledger, from place
        ``after`` on; and up to which place was looked."""
        with self._lock:
            until = min(len(self._entries), after + most)
            places = range(after, until)
            found = [(place, self._entries[place]) for place in places]
        return [(place, entry) for place, entry in found if entry.operation.startswith("send")], until

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
