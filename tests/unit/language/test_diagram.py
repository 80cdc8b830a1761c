"""A drawn playbook can be read: measured on the picture itself, no word, box or line lies on another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestrator.language.drawing.diagram import to_svg
from orchestrator.language.drawing.layout import lay_out
from orchestrator.language.drawing.ranks import Link
from orchestrator.language.model import Playbook
from tests.support.effort import examples
from tests.unit.language.builders import book, design_examples, reads

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(
    [*ROOT.glob("playbooks/*/playbook.yaml"), *ROOT.glob("examples/ravenstack/playbooks/*/playbook.yaml")]
)
SVG = "{http://www.w3.org/2000/svg}"
LETTER = 6.2  # at 11px in a usual font
SAMPLES = 24  # points looked at on each curve

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, point: Point) -> bool:
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom

    def within(self, other: Area) -> bool:
        return other.holds((self.left, self.top)) and other.holds((self.right, self.bottom))


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    source: str | None
    to: str
    points: list[Point]
    words: Area

    def __str__(self) -> str:
        return f"{self.source} → {self.to}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    page: Area
    boxes: dict[str, Area]
    badges: list[Area]
    lines: list[Line]


def points_of(path: str) -> list[Point]:
    """Points along a path of M, L, V and C, close to each other on its curves."""
    points: list[Point] = []
    for letter, text in re.findall(r"([A-Z])([^A-Z]*)", path):
        numbers = [float(one) for one in text.split()]
        if letter == "V":
            numbers = [points[-1][0], numbers[0]]
        assert letter in "MLVC", f"a line may not be drawn with {letter!r}: this test cannot measure it"
        ends = [(numbers[n], numbers[n + 1]) for n in range(0, len(numbers), 2)]
        if letter == "M":
            points += ends
            continue
        start = points[-1]
        one, two, end = ends if letter == "C" else (start, ends[0], ends[0])
        for step in range(1, SAMPLES + 1):
            t = step / SAMPLES
            u = 1 - t
            points.append(
                (
                    u**3 * start[0] + 3 * u * u * t * one[0] + 3 * u * t * t * two[0] + t**3 * end[0],
                    u**3 * start[1] + 3 * u * u * t * one[1] + 3 * u * t * t * two[1] + t**3 * end[1],
                )
            )
    return points


def area_of(rect: ET.Element) -> Area:
    x, y = float(rect.attrib["x"]), float(rect.attrib["y"])
    return Area(left=x, top=y, right=x + float(rect.attrib["width"]), bottom=y + float(rect.attrib["height"]))


def words_of(texts: list[ET.Element]) -> Area:
    wide = max(len(text.text or "") for text in texts) * LETTER / 2
    middle = float(texts[0].attrib["x"])
    assert {text.attrib["text-anchor"] for text in texts} == {"middle"}
    return Area(
        left=middle - wide,
        top=float(texts[0].attrib["y"]) - 9,
        right=middle + wide,
        bottom=float(texts[-1].attrib["y"]) + 3,
    )


def seen(playbook: Playbook) -> Picture:
    """What a reader would see of the playbook, with a head count at each step."""
    root = ET.fromstring(to_svg(playbook, counts={step.name: 120 for step in playbook.steps}))
    left, top, width, height = (float(one) for one in root.attrib["viewBox"].split())
    boxes, badges, lines = {}, [], []
    for group in root.findall(f"{SVG}g"):
        texts, path = group.findall(f"{SVG}text"), group.find(f"{SVG}path")
        if path is None:
            rects = [area_of(rect) for rect in group.findall(f"{SVG}rect")]
            boxes[texts[0].text or ""] = rects[0]
            badges += rects[1:]
        else:
            lines.append(
                Line(
                    source=group.attrib.get("data-from"),
                    to=group.attrib["data-to"],
                    points=points_of(path.attrib["d"]),
                    words=words_of(texts),
                )
            )
    return Picture(
        page=Area(left=left, top=top, right=left + width, bottom=top + height),
        boxes=boxes,
        badges=badges,
        lines=lines,
    )


def faults(picture: Picture) -> list[str]:
    """Everything that hides something else or is cut off."""
    solid = [*picture.boxes.items(), *(("a head count", badge) for badge in picture.badges)]
    return [*overlaps(picture, solid), *interrupted(picture), *cut_off(picture, solid)]


def overlaps(picture: Picture, solid: list[tuple[str, Area]]) -> Iterator[str]:
    for (name, box), (other, area) in combinations(picture.boxes.items(), 2):
        if box.meets(area):
            yield f"the boxes {name} and {other} overlap"
    for one, two in combinations(picture.lines, 2):
        if one.words.meets(two.words):
            yield f"the words of {one} and of {two} overlap"
    for line in picture.lines:
        for name, area in solid:
            if line.words.meets(area):
                yield f"the words of {line} lie on {name}"


def interrupted(picture: Picture) -> Iterator[str]:
    for line in picture.lines:
        for name, box in picture.boxes.items():
            inner = Area(left=box.left + 1, top=box.top + 1, right=box.right - 1, bottom=box.bottom - 1)
            if any(inner.holds(point) for point in line.points):
                yield f"the line {line} runs through {name}"
        if any(badge.holds(point) for badge in picture.badges for point in line.points):
            yield f"the line {line} runs behind a head count"
        for other in picture.lines:
            if any(other.words.holds(point) for point in line.points):
                yield f"the line {line} runs through the words of {other}"


def cut_off(picture: Picture, solid: list[tuple[str, Area]]) -> Iterator[str]:
    for line in picture.lines:
        if not line.words.within(picture.page):
            yield f"the words of {line} leave the page"
        if not all(picture.page.holds(point) for point in line.points):
            yield f"the line {line} leaves the page"
    for name, area in solid:
        if not area.within(picture.page):
            yield f"{name} leaves the page"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parts[-4]}-{path.parent.name}")
def test_every_shipped_playbook_is_drawn_readably(path: Path) -> None:
    playbook = reads(path.read_text(encoding="utf-8"))
    picture = seen(playbook)
    assert list(picture.boxes) == [step.name for step in playbook.steps]
    assert faults(picture) == []


def test_the_playbooks_of_the_reference_are_drawn_readably() -> None:
    for text in design_examples():
        playbook = reads(text)
        if len(playbook.steps) > 2:
            assert faults(seen(playbook)) == [], playbook.name


LOOPS = """
ask: {send: {channel: email, template: ask}, wait: 2d, then: {clicked: done, opened_no_click: remind, no_response: ask}}
remind: {send: {channel: in_app, template: ask}, wait: 2d, then: {clicked: ask, dismissed: last, no_response: last}}
last: {send: {channel: email, template: ask}, wait: 2d, then: {clicked: remind, no_response: ask}}
person: {handoff: {to: sales, template: ask}, then: last}
done: {end: no_conversion}
"""


def test_ways_back_go_around_and_a_step_may_lead_to_itself() -> None:
    picture = seen(reads(book(LOOPS, more="at_any_step: {replied: person}\n")))
    assert {(line.source, line.to) for line in picture.lines} >= {("ask", "ask"), ("last", "ask")}
    assert faults(picture) == []


def test_a_line_ends_at_the_box_it_leads_to_and_begins_at_its_own() -> None:
    picture = seen(reads(book(LOOPS)))
    for line in picture.lines:
        assert line.source is not None
        for name, (x, y) in ((line.source, line.points[0]), (line.to, line.points[-1])):
            box = picture.boxes[name]
            assert box.left <= x <= box.right, name
            assert box.top <= y <= box.bottom, name


def test_a_step_only_ever_reached_from_anywhere_stands_beside_the_way_not_above_its_beginning() -> None:
    picture = seen(reads(book(LOOPS, more="at_any_step: {replied: person}\n")))
    assert picture.boxes["ask"].top == min(box.top for box in picture.boxes.values())
    assert picture.boxes["ask"].bottom < picture.boxes["person"].top
    assert [line.to for line in picture.lines if line.source is None] == ["person"]


def test_lines_that_need_not_cross_do_not() -> None:
    links = [Link(source=a, to=b, lines=("x",)) for a, b in ("sb", "sa", "ac", "bd", "ce", "de", "se")]
    boxes = lay_out(dict.fromkeys("sabcde", 96.0), links, 46.0).boxes
    assert (boxes["a"].x < boxes["b"].x) == (boxes["c"].x < boxes["d"].x)
    middle = sorted((boxes[name].x, name) for name in "ab")
    assert middle[1][0] - middle[0][0] >= 96


NAMES = [f"n{number}" for number in range(12)]


@settings(
    max_examples=examples(60), phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
)
@given(
    links=st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from(NAMES)),
            st.sampled_from(NAMES),
            st.lists(
                st.sampled_from(["clicked", "no response", "answered 9-10 / no response"]),
                min_size=1,
                max_size=3,
            ),
        ),
        max_size=26,
        unique_by=lambda one: one[:2],
    )
)
def test_whatever_leads_wherever_boxes_and_labels_stay_apart(
    links: list[tuple[str | None, str, list[str]]],
) -> None:
    made = [Link(source=source, to=to, lines=tuple(lines)) for source, to, lines in links]
    widths = dict.fromkeys(NAMES, 110.0)
    layout = lay_out(widths, made, 46.0)
    assert layout == lay_out(widths, made, 46.0), "the same playbook is always the same picture"
    areas = [
        Area(left=box.x, top=box.y, right=box.x + box.width, bottom=box.y + box.height)
        for box in [*layout.boxes.values(), *(route.label for route in layout.routes)]
    ]
    assert not [pair for pair in combinations(areas, 2) if pair[0].meets(pair[1])]
    assert len(areas) == len(NAMES) + len(links)
    for route in layout.routes:
        points = points_of(route.path)
        around = [route.link.source, route.link.to]
        for name, area in zip(layout.boxes, areas, strict=False):
            inner = Area(left=area.left + 1, top=area.top + 1, right=area.right - 1, bottom=area.bottom - 1)
            assert not any(inner.holds(point) for point in points), (around, name)
        assert all(0 < x < layout.width and 0 < y < layout.height for x, y in points)
    assert all(upper.y != lower.y or upper.x != lower.x for upper, lower in pairwise(layout.boxes.values()))
