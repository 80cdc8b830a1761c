"""The plain tree both faces are read from: texts, maps and lists, each with its place.

YAML text and Python values become the same tree, so there is one parser after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.language.model import Scalar
from orchestrator.language.problems import SourcePosition


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A single value. ``text`` is how it was written; ``value`` is typed for true, false, null and plain numbers."""

    text: str
    value: Scalar
    place: SourcePosition

    @property
    def empty(self) -> bool:
        """Nothing was written, or null."""
        return self.value is None or self.value == ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapEntry:
    key: str
    node: Node
    place: SourcePosition


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    entries: tuple[MapEntry, ...]
    place: SourcePosition

    def get(self, key: str) -> Node | None:
        return next((entry.node for entry in self.entries if entry.key == key), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    nodes: tuple[Node, ...]
    place: SourcePosition


Node = Leaf | Map | Items


def came(node: Node) -> str:
    """What a node is, as an error message says it."""
    if isinstance(node, Map):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    if node.value is None or node.text == "":
        return "nothing"
    text = node.text.replace("\n", " ")
    return f"'{text if len(text) <= 60 else text[:59] + '…'}'"
