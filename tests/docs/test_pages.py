"""The documentation tells the truth: every block runs, every link leads somewhere, every generated part is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import draw_rooms
from tests.docs import tables
from tests.docs.diagrams import faults
from tests.docs.pages import DOCS, ROOT, Page, paths, read
from tests.docs.running import NOT_RUN, Story, not_run

PAGES = [read(path) for path in paths()]
BY_PATH = {page.path: page for page in PAGES}


@pytest.mark.parametrize("page", [page for page in PAGES if page.blocks], ids=lambda page: page.name)
def test_what_a_page_shows_works_as_shown(page: Page, story: Story) -> None:
    for block in page.blocks:
        story.tell(block)


def test_blocks_that_are_not_run_are_listed() -> None:
    assert not_run([block for page in PAGES for block in page.blocks]) == NOT_RUN.read_text().splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Page) -> None:
    broken = [f"{page.name}:{line}: {target}" for line, target in page.links if not _resolves(page, target)]
    assert not broken


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path in seen or path not in BY_PATH:
            continue
        seen.add(path)
        todo += [_target(path, link) for _, link in BY_PATH[path].links if "://" not in link]
    assert sorted(page.name for page in PAGES if page.path not in seen) == []


@pytest.mark.parametrize("name", tables.GENERATED)
def test_a_generated_part_says_what_the_code_says(name: str) -> None:
    found = [
        (path, body)
        for path in sorted(DOCS.rglob("*.md"))
        for part, body in tables.written(path.read_text(encoding="utf-8"))
        if part == name
    ]
    assert found, f"no page carries the generated part {name!r}"
    for path, body in found:
        assert body.strip() == tables.GENERATED[name]().strip(), f"{path}: run python -m tests.docs"


def test_the_picture_of_the_rooms_is_current_and_no_rule_of_rooms_is_broken() -> None:
    files = draw_rooms.imports(ROOT)
    assert draw_rooms.problems(files, ROOT) == []
    page = draw_rooms.PAGE.read_text(encoding="utf-8")
    assert draw_rooms.drawn(page, files) == page, "run python scripts/draw_rooms.py"


def test_each_circle_of_imports_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e", "a"}, "e": {"d"}}
    circles = draw_rooms.circles_of({name: frozenset(targets) for name, targets in graph.items()})
    assert sorted(sorted(set(circle)) for circle in circles) == [["a", "b", "c"], ["d", "e"]]


def test_the_tests_that_guard_the_laws_exist() -> None:
    rows = re.findall(
        r"`(test_\w+)` in \[[^\]]+\]\(([^)]+)\)", (DOCS / "explanation" / "laws.md").read_text()
    )
    assert len(rows) == 12
    for name, link in rows:
        source = (DOCS / "explanation" / link).resolve().read_text()
        assert f"def {name}(" in source, f"{name} is not in {link}"


def test_a_broken_drawing_is_noticed() -> None:
    assert faults("flowchart TD\n    a[one] --> b[two]\n") == []
    assert faults("flowchart TD\n    a[one] -> b\n")
    assert faults("stateDiagram-v2\n    a ->> b : word\n")
    assert faults("graph of my own\n")


def _target(path: Path, link: str) -> Path:
    return (path.parent / link.partition("#")[0]).resolve() if not link.startswith("#") else path


def _resolves(page: Page, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return True
    target, _, anchor = link.partition("#")
    path = (page.path.parent / target).resolve() if target else page.path
    if not path.exists() or not path.is_relative_to(ROOT):
        return False
    return not anchor or (path in BY_PATH and anchor in BY_PATH[path].anchors)
