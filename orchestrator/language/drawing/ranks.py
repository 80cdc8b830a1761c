"""Puts the items of a diagram into rows: boxes as deep as their longest way, every label and passing line a place.

Boxes are in the odd rows, labels in the even ones between them. A line has one item in every row it passes, so what
stands beside each other in a row can never lie over each other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.language.graph.edges import reached

_SWEEPS = 16
_LARGE = 2000  # items from which a neat order would cost more than it gives


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """An arrow with one label; without a source it comes from nowhere in particular."""

    source: str | None
    to: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """The items that a link passes, from its source to its target; ``label`` is the one that holds the words."""

    link: Link
    items: tuple[int, ...]
    label: int
    back: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranks:
    """Items by row, left to right. The first items are the boxes, in the order of their names."""

    rows: list[list[int]]
    rank: list[int]
    chains: list[Chain]
    pairs: list[tuple[int, int]]  # items of adjacent rows that belong near each other, the upper first


def rank(names: Sequence[str], links: Sequence[Link]) -> Ranks:
    """Rows for all names, beginning with the first; links from a step to itself are left out."""
    links = [link for link in links if link.source != link.to]
    depth, order = _depths(names, [(link.source, link.to) for link in links if link.source is not None])
    number = {name: index for index, name in enumerate(names)}
    ranks = [2 * depth[name] + 1 for name in names]
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=0) + 1)]
    chains: list[Chain] = []
    pairs: list[tuple[int, int]] = []
    leaving: dict[str, list[Link]] = {}
    for link in links:
        leaving.setdefault(link.to if link.source is None else link.source, []).append(link)
    for name in order:
        rows[ranks[number[name]]].append(number[name])
        for link in leaving.get(name, ()):
            chains.append(_chain(link, number, ranks, rows))
            pairs += _pairs(chains[-1], number)
    made = Ranks(rows=rows, rank=ranks, chains=chains, pairs=pairs)
    _untangle(made)
    return made


def _chain(link: Link, number: Mapping[str, int], ranks: list[int], rows: list[list[int]]) -> Chain:
    target = ranks[number[link.to]]
    source = target - 2 if link.source is None else ranks[number[link.source]]
    back = target <= source
    passed = range(source, target - 1, -1) if back else range(source + 1, target)
    items = tuple(range(len(ranks), len(ranks) + len(passed)))
    for row, item in zip(passed, items, strict=True):
        ranks.append(row)
        rows[row].append(item)
    return Chain(link=link, items=items, label=items[1] if back else items[0], back=back)


def _pairs(chain: Chain, number: Mapping[str, int]) -> Iterable[tuple[int, int]]:
    items, link = chain.items, chain.link
    if chain.back:
        # It turns beside its two boxes: only its inner items have a row between themselves and them.
        items = items[::-1]
        source = number[link.source or ""]
        return [*pairwise(items), (number[link.to], items[1]), (items[-2], source)]
    ends = [] if link.source is None else [number[link.source]]
    whole = [*ends, *items, number[link.to]]
    return pairwise(whole)


def _depths(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> tuple[dict[str, int], list[str]]:
    """How deep each name is, and the names as a walk from the first meets them."""
    follow: dict[str, list[str]] = {name: [] for name in names}
    for source, to in edges:
        follow[source].append(to)
    met: list[str] = []
    left: list[str] = []
    forward: dict[str, list[str]] = {name: [] for name in names}
    state: dict[str, bool] = {}  # True while the walk is inside of it
    for root in names:
        if root in state:
            continue
        state[root] = True
        met.append(root)
        walk = [(root, iter(follow[root]))]
        while walk:
            name, rest = walk[-1]
            following = next(rest, None)
            if following is None:
                state[name] = False
                left.append(name)
                walk.pop()
            elif not state.get(following):
                forward[name].append(following)
                if following not in state:
                    state[following] = True
                    met.append(following)
                    walk.append((following, iter(follow[following])))
    depth = dict.fromkeys(names, 0)
    for name in reversed(left):
        for to in forward[name]:
            depth[to] = max(depth[to], depth[name] + 1)
    led = reached(names[:1], follow)
    for name in left:  # what no step leads to stands just above what it leads to, not at the top
        if name not in led and forward[name]:
            depth[name] = min(depth[to] for to in forward[name]) - 1
    return depth, met


def _untangle(ranks: Ranks) -> None:
    """Order each row so that few lines cross: by the mean place of the neighbours, then by swaps of two."""
    if len(ranks.rank) > _LARGE:
        return
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for upper, lower in ranks.pairs:
        below.setdefault(upper, []).append(lower)
        above.setdefault(lower, []).append(upper)
    rows = ranks.rows
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        near = below if sweep % 2 else above
        for number in range(len(rows) - 2, -1, -1) if sweep % 2 else range(1, len(rows)):
            _by_neighbours(rows, number, number + 1 if sweep % 2 else number - 1, near)
        _swap(rows, above, below)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _by_neighbours(rows: list[list[int]], number: int, other: int, near: Mapping[int, list[int]]) -> None:
    place = {item: index for index, item in enumerate(rows[other])}
    wanted = {
        item: sum(place[one] for one in near[item]) / len(near[item]) if item in near else float(index)
        for index, item in enumerate(rows[number])
    }
    rows[number].sort(key=wanted.__getitem__)


def _swap(rows: list[list[int]], above: Mapping[int, list[int]], below: Mapping[int, list[int]]) -> None:
    place = {item: index for row in rows for index, item in enumerate(row)}
    for row in rows:
        for index in range(len(row) - 1):
            a, b = row[index], row[index + 1]
            gain = 0
            for near in (above, below):
                one = sorted(place[item] for item in near.get(a, ()))
                two = sorted(place[item] for item in near.get(b, ()))
                gain += sum(bisect_left(two, spot) - (len(two) - bisect_right(two, spot)) for spot in one)
            if gain > 0:
                row[index], row[index + 1] = b, a
                place[a], place[b] = index + 1, index


def _crossings(rows: Sequence[Sequence[int]], below: Mapping[int, list[int]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {item: index for index, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = [place[one] for one in below.get(item, ())]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
