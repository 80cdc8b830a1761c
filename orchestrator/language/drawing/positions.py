"""Finds where across the page the items of a diagram stand: near what they belong to, lines straight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.language.drawing.ranks import Ranks

_SWEEPS = 80
_PASSES = 3
_LARGE = 2000  # items from which one pass must do
_PATIENCE = 60_000  # items looked at over all sweeps: a huge playbook is placed more roughly, not slowly
_FAR = 1e9
_STIFF = 8.0  # how much more a long line wants to be straight than a box wants to be near its neighbours


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How far an item reaches from its middle, and the room it wants on both sides beyond that."""

    left: float
    right: float
    height: float
    air: float


def spread(wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The places nearest to those wanted that keep the order and the gaps (``gaps[n]`` is before item ``n``)."""
    offsets: list[float] = []
    for gap in gaps:
        offsets.append((offsets[-1] if offsets else 0.0) + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many items stand there together
    for place, offset, own in zip(wanted, offsets, weights, strict=True):
        mean, weight, count = place - offset, own, 1
        while pools and pools[-1][0] > mean:
            other, heavy, several = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight += heavy
            count += several
        pools.append((mean, weight, count))
    flat = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def place(ranks: Ranks, sizes: Sequence[Size], boxes: int) -> list[float]:
    """The middle of every item; the first ``boxes`` items are boxes."""
    near: dict[int, list[tuple[int, float]]] = {}
    for upper, lower in ranks.pairs:
        weight = 1.0 if min(upper, lower) < boxes else _STIFF
        near.setdefault(upper, []).append((lower, weight))
        near.setdefault(lower, []).append((upper, weight))
    gaps = [_gaps(row, sizes) for row in ranks.rows]
    spots = [0.0] * len(sizes)
    for row, room in zip(ranks.rows, gaps, strict=True):
        total = sum(room)
        for item, spot in zip(row, spread([0.0] * len(row), room, [1.0] * len(row)), strict=True):
            spots[item] = spot if total else 0.0
    for sweep in range(max(2, min(_SWEEPS, _PATIENCE // (len(sizes) or 1)))):
        numbers = range(len(ranks.rows))
        for number in reversed(numbers) if sweep % 2 else numbers:
            _settle(ranks.rows[number], gaps[number], near, spots)
    for _ in range(_PASSES if len(sizes) < _LARGE else 1):
        _straighten(ranks, sizes, spots, boxes)
    return spots


def _gaps(row: Sequence[int], sizes: Sequence[Size]) -> list[float]:
    between = [sizes[a].right + max(sizes[a].air, sizes[b].air) + sizes[b].left for a, b in pairwise(row)]
    return [0.0, *between] if row else []


def _settle(
    row: Sequence[int],
    gaps: Sequence[float],
    near: Mapping[int, Sequence[tuple[int, float]]],
    spots: list[float],
) -> None:
    wanted, weights = [], []
    for item in row:
        around = near.get(item, ())
        weight = sum(one for _, one in around)
        wanted.append(sum(spots[other] * one for other, one in around) / weight if weight else spots[item])
        weights.append(weight or 0.1)
    for item, spot in zip(row, spread(wanted, gaps, weights), strict=True):
        spots[item] = spot


def _straighten(ranks: Ranks, sizes: Sequence[Size], spots: list[float], boxes: int) -> None:
    """Make each line upright over as many rows as there is room."""
    index = {item: place for row in ranks.rows for place, item in enumerate(row)}
    gaps = [_gaps(row, sizes) for row in ranks.rows]
    beside: dict[int, list[int]] = {}
    for upper, lower in ranks.pairs:
        for box, item in ((upper, lower), (lower, upper)):
            if box < boxes:
                beside.setdefault(item, []).append(box)

    def room(item: int) -> tuple[float, float]:
        row, air, place = ranks.rows[ranks.rank[item]], gaps[ranks.rank[item]], index[item]
        low = spots[row[place - 1]] + air[place] if place else -_FAR
        return low, spots[row[place + 1]] - air[place + 1] if place + 1 < len(row) else _FAR

    for chain in sorted(ranks.chains, key=lambda one: -len(one.items)):
        rest = list(chain.items)
        while rest:
            run = [rest.pop(0)]
            low, high = room(run[0])
            while rest:
                least, most = room(rest[0])
                if max(low, least) > min(high, most):
                    break
                run.append(rest.pop(0))
                low, high = max(low, least), min(high, most)
            middle = sum(spots[one] for one in run) / len(run)
            ends = [] if chain.back else [box for one in run for box in beside.get(one, ())]
            for box in ends:  # in one with a box's middle where that is near
                if low <= spots[box] <= high and abs(spots[box] - middle) < sizes[box].left:
                    middle = spots[box]
                    break
            for one in run:
                spots[one] = min(max(middle, low), high)
