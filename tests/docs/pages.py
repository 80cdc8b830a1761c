"""The documentation as data: its pages, and the fenced blocks and links of each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(`{3,}|~{3,})\s*(.*)$")
_LINK = re.compile(r"(?<!!)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`]*`")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block. The info string is a language and words: ``yaml file=mine/policy.yaml``, ``sh no-run``."""

    page: str
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    @property
    def file(self) -> str | None:
        return next((mark.removeprefix("file=") for mark in self.marks if mark.startswith("file=")), None)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Page:
    path: Path
    blocks: tuple[Block, ...] = ()
    links: tuple[tuple[int, str], ...] = ()
    anchors: frozenset[str] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def paths() -> list[Path]:
    """The pages whose blocks are run and whose links are followed."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def read(path: Path) -> Page:
    """One page taken apart. Raises ValueError when a fence is left open."""
    name = path.relative_to(ROOT).as_posix()
    blocks: list[Block] = []
    links: list[tuple[int, str]] = []
    anchors: list[str] = []
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is not None:
            blocks.append(_block(name, number, fence[1], fence[2], lines))
            continue
        heading = _HEADING.match(line)
        if heading is not None:
            anchors.append(_anchor(heading[2], anchors))
        links.extend((number, target) for target in _LINK.findall(_CODE.sub("`", line)))
    return Page(path=path, blocks=tuple(blocks), links=tuple(links), anchors=frozenset(anchors))


def _block(page: str, number: int, fence: str, info: str, lines: Iterator[tuple[int, str]]) -> Block:
    language, *marks = info.split() or [""]
    body: list[str] = []
    for _, line in lines:
        if line.startswith(fence) and not line.strip(fence[0]).strip():
            text = "\n".join(body) + "\n"
            return Block(page=page, line=number, language=language, marks=tuple(marks), text=text)
        body.append(line)
    msg = f"{page}:{number}: this fence is never closed"
    raise ValueError(msg)


def _anchor(heading: str, taken: list[str]) -> str:
    """The name under which a renderer makes a heading linkable."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda match: match[1] or "", heading).lower()
    kept = "".join(
        char for char in plain if char in " -_" or unicodedata.category(char)[0] in ("L", "N")
    ).replace(" ", "-")
    times = sum(1 for one in taken if one == kept or re.fullmatch(re.escape(kept) + r"-\d+", one))
    return f"{kept}-{times}" if times else kept
