"""The documentation tells the truth: every block runs, every link leads somewhere, every generated part is current."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

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


def test_the_picture_of_imports_is_the_rule_of_imports() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    inner = next(rule["layers"] for rule in rules if rule.get("containers") == ["orchestrator"])
    outer = next(rule["layers"] for rule in rules if rule["name"].startswith("Imports run one way"))
    page = read(DOCS / "explanation" / "architecture.md")
    drawn = next(block.text for block in page.blocks if block.language == "mermaid")
    rows = [[name.strip(" ()") for name in layer.split("|")] for layer in inner]
    wanted = {(above, below) for here, next_ in pairwise(rows) for above in here for below in next_}
    assert _arrows(drawn) >= wanted
    assert _arrows(drawn) - wanted == set(pairwise(outer))


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


def _arrows(text: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for line in text.splitlines():
        if " --> " in line:
            left, right = line.strip().split(" --> ")
            found |= {(a.strip(), b.strip()) for a in left.split(" & ") for b in right.split(" & ")}
    return found


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
