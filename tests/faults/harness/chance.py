"""Chance that can be repeated: every number is a hash of the seed and of how often was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """One sequence of numbers; two of the same seed are alike. Not for several threads: ``part`` makes one for each."""

    def __init__(self, seed: int, name: str = "") -> None:
        self.seed, self.name = seed, name
        self._asked = 0

    def part(self, name: str) -> Chance:
        """A sequence of its own for somebody named."""
        return Chance(self.seed, f"{self.name}/{name}")

    def number(self, low: float = 0.0, high: float = 1.0) -> float:
        self._asked += 1
        return low + (high - low) * fate(self.seed, f"{self.name}:{self._asked}")

    def choice(self, some: Sequence[T]) -> T:
        return some[min(int(self.number(0, len(some))), len(some) - 1)]


def fate(seed: int, key: str) -> float:
    """A number from 0 to 1, the same for the same key."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:6], "big") / 2**48
