"""The geometry of a diagram: boxes in rows, a place for every label, and lines that pass beside both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.language.drawing.positions import Size, place, spread
from orchestrator.language.drawing.ranks import Chain, Link, Ranks, rank

LETTER = 6.6  # the width of a letter at 11px in a wide font
LINE = 14.0  # the height of a line of a label
_BOX_AIR = 34.0
_LANE_AIR = 14.0
_GAP = 22.0  # the least height between two rows
_TURN = 34.0  # the same where a line turns back
_STEEP = 0.11  # how much higher a gap is for each point that a line in it moves sideways
_HIGHEST = 64.0
_LOOP = 30.0
_MARGIN = 18.0
_ABOVE = 11.0  # over a row of boxes lines are upright: the head counts reach up there
_PORT = 14.0  # between two lines at a box
_CORNER = 24.0  # no line begins or ends this near to a side of its box
_COUNT = 38.0  # nor here at the upper right, where the head count is


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnLink:
    """A link as it is drawn: ``path`` is SVG's, interrupted where the label stands."""

    link: Link
    path: str
    label: Box


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    boxes: Mapping[str, Box]
    routes: Sequence[DrawnLink]
    width: float
    height: float


def lay_out(widths: Mapping[str, float], links: Sequence[Link], box_height: float) -> Layout:
    """Places boxes for all of ``widths``, the first at the top, and one route for each link."""
    return _Page(widths, links, box_height).layout()


class _Page:
    """What the rows, the places across and the heights of the rows say together."""

    def __init__(self, widths: Mapping[str, float], links: Sequence[Link], box_height: float) -> None:
        self.names = list(widths)
        self.number = {name: index for index, name in enumerate(self.names)}
        self.widths = list(widths.values())
        self.box_height = box_height
        self.loops = [link for link in links if link.source == link.to]
        self.ranks: Ranks = rank(self.names, links)
        self.sizes = self._sizes()
        self.x = place(self.ranks, self.sizes, len(self.names))
        left = min((x - size.left for x, size in zip(self.x, self.sizes, strict=True)), default=0.0)
        self.x = [x - left + _MARGIN for x in self.x]
        self.leave, self.arrive = self._ports(down=True), self._ports(down=False)
        self.top, self.bottom, self.gap = self._heights()

    def layout(self) -> Layout:
        boxes = {
            name: Box(
                x=self.x[index] - width / 2,
                y=self.top[self.ranks.rank[index]],
                width=width,
                height=self.box_height,
            )
            for index, (name, width) in enumerate(zip(self.names, self.widths, strict=True))
        }
        routes = [self._route(number) for number in range(len(self.ranks.chains))]
        routes += [_loop(boxes[link.to], link) for link in self.loops]
        width = (
            max((x + size.right for x, size in zip(self.x, self.sizes, strict=True)), default=0.0) + _MARGIN
        )
        height = (self.bottom[-1] if self.bottom else 0.0) + (self.gap[-1] if self.gap else 0.0)
        return Layout(boxes=boxes, routes=routes, width=width, height=height)

    def _sizes(self) -> list[Size]:
        looped = {link.to: _label_width(link) + _LOOP for link in self.loops}
        sizes = [
            Size(
                left=width / 2, right=width / 2 + looped.get(name, 0.0), height=self.box_height, air=_BOX_AIR
            )
            for name, width in zip(self.names, self.widths, strict=True)
        ]
        sizes += [Size(left=0.0, right=0.0, height=0.0, air=_LANE_AIR)] * (
            len(self.ranks.rank) - len(self.names)
        )
        for chain in self.ranks.chains:
            half = _label_width(chain.link) / 2
            height = LINE * len(chain.link.lines) + 2
            sizes[chain.label] = Size(left=half, right=half, height=height, air=_LANE_AIR)
        return sizes

    def _ports(self, *, down: bool) -> dict[int, float]:
        """Where each chain (by number) leaves its source (``down``) or arrives at its target."""
        at: dict[int, list[tuple[float, int]]] = {}
        for number, chain in enumerate(self.ranks.chains):
            end = chain.link.source if down else chain.link.to
            if end is not None:
                beside = self.x[chain.items[0 if down else -1]]
                at.setdefault(self.number[end], []).append((beside, number))
        ports: dict[int, float] = {}
        for box, lines in at.items():
            lines.sort()
            half = self.widths[box] / 2
            low = self.x[box] - half + _CORNER
            high = max(self.x[box] + half - (_CORNER if down else _COUNT), low)
            step = min(_PORT, (high - low) / max(len(lines) - 1, 1))
            reach = [min(max(beside, low), high) for beside, _ in lines]
            found = spread(reach, [0.0] + [step] * (len(lines) - 1), [1.0] * len(lines))
            over = max(found[-1] - high, 0.0) - max(low - found[0], 0.0)
            ports |= {number: spot - over for spot, (_, number) in zip(found, lines, strict=True)}
        return ports

    def _heights(self) -> tuple[list[float], list[float], list[float]]:
        """The upper and lower edge of each row, and the height of the gap below it."""
        gap = [_GAP] * len(self.ranks.rows)
        for number, chain in enumerate(self.ranks.chains):
            spots = [(self.ranks.rank[item], self.x[item]) for item in chain.items]
            if chain.back:
                for row in (spots[0][0], spots[-1][0] - 1):
                    gap[row] = max(gap[row], _TURN)
                spots.reverse()
            else:
                if number in self.leave:
                    spots.insert(0, (spots[0][0] - 1, self.leave[number]))
                spots.append((spots[-1][0] + 1, self.arrive[number]))
            for (row, x), (_, other) in pairwise(spots):
                gap[row] = max(gap[row], min(_GAP + _STEEP * abs(other - x), _HIGHEST))
        gap = [high + (0.0 if row % 2 else _ABOVE) for row, high in enumerate(gap)]
        top: list[float] = []
        bottom: list[float] = []
        y = _MARGIN / 2
        for items, below in zip(self.ranks.rows, gap, strict=True):
            top.append(y)
            bottom.append(y + max((self.sizes[item].height for item in items), default=0.0))
            y = bottom[-1] + below
        return top, bottom, gap

    def _route(self, number: int) -> DrawnLink:
        chain = self.ranks.chains[number]
        size, row = self.sizes[chain.label], self.ranks.rank[chain.label]
        label = Box(
            x=self.x[chain.label] - size.left,
            y=(self.top[row] + self.bottom[row] - size.height) / 2,
            width=size.left + size.right,
            height=size.height,
        )
        path = self._upwards(chain, number, label) if chain.back else self._downwards(chain, number, label)
        return DrawnLink(link=chain.link, path=path, label=label)

    def _downwards(self, chain: Chain, number: int, label: Box) -> str:
        at = (self.leave.get(number, 0.0), self.bottom[self.ranks.rank[chain.items[0]] - 1])
        path = f"M{_spot(*at)}" if number in self.leave else ""
        for item in chain.items:
            x, row = self.x[item], self.ranks.rank[item]
            if path:
                path += _bend(at, (x, self._over(row)))
            if item == chain.label:
                path += f"V{label.y:.1f}" if path else ""
                path += f"M{_spot(x, label.y + label.height)}"
            at = (x, self.bottom[row])
            path += f"V{at[1]:.1f}"
        row = self.ranks.rank[chain.items[-1]] + 1
        return path + _bend(at, (self.arrive[number], self._over(row))) + f"V{self.top[row]:.1f}"

    def _upwards(self, chain: Chain, number: int, label: Box) -> str:
        """Out below the source, around it and up beside everything between, into the target from above."""
        row = self.ranks.rank[chain.items[0]]
        start, at = (self.leave[number], self.bottom[row]), (self.x[chain.items[0]], self.bottom[row])
        path = f"M{_spot(*start)}" + _turn(start, at, self.gap[row])
        for item in chain.items:
            x, row = self.x[item], self.ranks.rank[item]
            if at != (x, self.bottom[row]):
                path += _bend(at, (x, self.bottom[row]))
            if item == chain.label:
                path += f"V{label.y + label.height:.1f}M{_spot(x, label.y)}"
            at = (x, self._over(row))
            path += f"V{at[1]:.1f}"
        over = (self.arrive[number], at[1])
        return path + _turn(at, over, _ABOVE - self.gap[row - 1]) + f"V{self.top[row]:.1f}"

    def _over(self, row: int) -> float:
        """Where lines come into a row from above."""
        return self.top[row] - (_ABOVE if row % 2 else 0.0)


def _loop(box: Box, link: Link) -> DrawnLink:
    x, y = box.x + box.width, box.y + box.height / 2
    path = f"M{_spot(x, y + 9)}C{_spot(x + _LOOP, y + 22)} {_spot(x + _LOOP, y - 6)} {_spot(x, y - 5)}"
    height = LINE * len(link.lines) + 2
    label = Box(x=x + _LOOP - 4, y=y - height / 2 + 6, width=_label_width(link), height=height)
    return DrawnLink(link=link, path=path, label=label)


def _label_width(link: Link) -> float:
    return max(len(line) for line in link.lines) * LETTER + 8


def _spot(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"


def _bend(start: tuple[float, float], end: tuple[float, float]) -> str:
    if abs(start[0] - end[0]) < 0.1:
        return f"L{_spot(*end)}"
    middle = (start[1] + end[1]) / 2
    return f"C{_spot(start[0], middle)} {_spot(end[0], middle)} {_spot(*end)}"


def _turn(start: tuple[float, float], end: tuple[float, float], high: float) -> str:
    return f"C{_spot(start[0], start[1] + high)} {_spot(end[0], end[1] + high)} {_spot(*end)}"
