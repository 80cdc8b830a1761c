"""Two arms compared honestly: rates and their difference, each with the interval the truth plausibly lies in.

Wilson's score interval for one rate and Newcombe's hybrid of two of them for the difference: both stay sensible with
few customers and with no conversion at all, where the textbook interval claims certainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054  # the normal quantile of a 95% interval


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidenceInterval:
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Proportion:
    """``hits`` of ``total``. Without anybody there is no value, and anything is possible."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> ConfidenceInterval:
        return wilson(self.hits, self.total)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lift:
    """``difference`` is contacted minus held out; ``relative`` to the held-out rate, where that is not zero."""

    difference: float | None
    relative: float | None
    interval: ConfidenceInterval

    @property
    def is_proven(self) -> bool:
        """Whether the interval excludes "no difference"."""
        return self.interval.low > 0 or self.interval.high < 0


def wilson(hits: int, total: int, z: float = Z95) -> ConfidenceInterval:
    """The score interval of one rate; (0, 1) when nothing was seen."""
    if total == 0:
        return ConfidenceInterval(low=0.0, high=1.0)
    if not 0 <= hits <= total:
        msg = f"expected between 0 and {total} hits, got {hits}"
        raise ValueError(msg)
    rate = hits / total
    shrink = 1 + z * z / total
    centre = (rate + z * z / (2 * total)) / shrink
    half = z * sqrt(rate * (1 - rate) / total + z * z / (4 * total * total)) / shrink
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == total else min(1.0, centre + half)
    return ConfidenceInterval(low=low, high=high)


def lift(contacted: Proportion, held_out: Proportion, z: float = Z95) -> Lift:
    """Newcombe's interval of the difference of two independent rates."""
    first, second = wilson(contacted.hits, contacted.total, z), wilson(held_out.hits, held_out.total, z)
    if contacted.value is None or held_out.value is None:
        return Lift(difference=None, relative=None, interval=ConfidenceInterval(low=-1.0, high=1.0))
    difference = contacted.value - held_out.value
    down = sqrt((contacted.value - first.low) ** 2 + (second.high - held_out.value) ** 2)
    up = sqrt((first.high - contacted.value) ** 2 + (held_out.value - second.low) ** 2)
    return Lift(
        difference=difference,
        relative=difference / held_out.value if held_out.value else None,
        interval=ConfidenceInterval(low=difference - down, high=difference + up),
    )
