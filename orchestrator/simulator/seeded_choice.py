"""Fates: every chance of a simulation is a hash of the seed and what it is about.

No stream of random numbers is shared, so a customer's fate does not depend on who came before: adding one customer,
or one step to a playbook, changes nothing about the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class SeededChoice:
    """Answers questions of chance; the same question always gets the same answer."""

    def __init__(self, seed: int) -> None:
        self._key = str(seed).encode()[:64]

    def share(self, *about: object) -> float:
        """A number in [0, 1), even over all questions."""
        text = "\x1f".join(str(part) for part in about)
        digest = blake2b(text.encode(), digest_size=7, key=self._key).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def chance(self, probability: float, *about: object) -> bool:
        return self.share(*about) < probability

    def whole(self, low: int, high: int, *about: object) -> int:
        """A whole number from ``low`` to ``high``, both possible."""
        return low + int(self.share(*about) * (high - low + 1))

    def one_of(self, options: Sequence[T], *about: object) -> T:
        return options[int(self.share(*about) * len(options))]

    def weighed(self, weights: Mapping[T, float], *about: object) -> T:
        """One of the keys; the weights need not add up to anything."""
        rest = self.share(*about) * sum(weights.values())
        for option, weight in weights.items():
            rest -= weight
            if rest < 0:
                return option
        return list(weights)[-1]

    def delay(self, mean: timedelta, *about: object) -> timedelta:
        """A waiting time: often short, sometimes long; whole seconds, at most eight times the mean."""
        seconds = -math.log1p(-self.share(*about)) * mean.total_seconds()
        return timedelta(seconds=round(min(seconds, 8 * mean.total_seconds())) + 1)
