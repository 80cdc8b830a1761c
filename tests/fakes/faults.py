"""Faults that a fake provider can be told to have, each at a named point of a request's life."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "rate_limit": "429, not taken; retry_after seconds",
    "unavailable": "503 with Retry-After, not taken",
    "error": "500 (or status), not taken, though the caller cannot know",
    "error_after_accept": "500 (or status) after the message was taken",
    "refuse": "400 (or status) with code and message, not taken",
    "too_large": "413 with an HTML page, as a gateway answers",
    "garbage": "success with a body that is none, after the message was taken",
    "hang": "no answer for seconds, not taken",
    "hang_after_accept": "the message is taken, the answer never comes",
    "trickle": "the answer comes a byte at a time",
    "reset": "the connection is reset before anything is read into",
    "reset_after_accept": "the message is taken, then the connection is reset",
    "redirect": "302 to another place",
    "slow": "answers well, after seconds",
}


@dataclass(kw_only=True)
class Fault:
    """One rule: for requests that match, ``times`` times (None: always), the fault ``kind``."""

    kind: str
    service: str | None = None
    operation: str | None = None
    to: str | None = None
    path: str | None = None
    times: int | None = 1
    seconds: float = 30.0
    retry_after: float | None = None
    status: int | None = None
    code: int | None = None
    message: str = "told to fail"
    extra: dict[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before anything else happens to the request."""
    share: float = 1.0
    """Of the requests that match, how many it strikes: which ones is a hash of their number in the ledger."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known are {', '.join(KINDS)}")

    def fits(self, *, service: str, operation: str, to: str | None, path: str) -> bool:
        """Whether it is about such a request."""
        return (
            self.service in (None, service)
            and self.operation in (None, operation)
            and self.to in (None, to)
            and (self.path is None or re.search(self.path, path) is not None)
        )


class Faults:
    """The rules in force; the first that fits is used up. Shares of several rules add up: one request meets one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, **facts: Any) -> None:
        fault = Fault(**facts)
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def replace(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """These rules and no others, at once."""
        made = [Fault(**facts) for facts in rules]
        with self._lock:
            self._rules = made

    def take(
        self, *, service: str, operation: str, to: str | None, path: str, number: int = 0
    ) -> Fault | None:
        fate = _fate(number)
        with self._lock:
            for rule in self._rules:
                if not rule.fits(service=service, operation=operation, to=to, path=path):
                    continue
                if fate >= rule.share:
                    fate -= rule.share
                    continue
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None


def _fate(number: int) -> float:
    """A number from 0 to 1, the same for the same request."""
    return int.from_bytes(hashlib.sha256(f"fate:{number}".encode()).digest()[:4], "big") / 2**32
