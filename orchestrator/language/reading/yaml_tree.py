"""Reads YAML strictly into a :class:`~orchestrator.language.reading.tree.Node`, position by position.

Only ``true``, ``false``, ``null``, plain integers and decimals are typed; everything else, and every key, is text.
Doubled keys, tags, anchors, aliases and merges are refused, and size and depth are bounded, so no text can cost more
than a moment. Every scanner error that an unquoted text inside ``{ }`` causes says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import yaml

from orchestrator.language.model import Scalar
from orchestrator.language.problems import Problems, SourcePosition, shown
from orchestrator.language.reading.tree import Items, Leaf, Map, MapEntry, Node

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 60_000

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(?=[0-9.]{3,16}\Z)(?:0|[1-9][0-9]*)\.[0-9]+")  # what JSON carries unchanged
# What a YAML 1.1 reader would take for something other than text.
_YAML_1_1 = re.compile(
    r"""(?ix) y|n|yes|no|on|off|~ |true|false|null
    | [-+]?0b[01_]+ | [-+]?0x[0-9a-f_]+ | [-+]?0o?[0-7_]+ | [-+]?[0-9][0-9_]*
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    | [-+]?(?:[0-9][0-9_]*)?\.[0-9_]*(?:e[-+]?[0-9]+)? | [-+]?[0-9][0-9_]*e[-+]?[0-9]+
    | [-+]?\.inf | \.nan | = | <<
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)?"""
)
_QUOTE = 'inside { } or [ ] a text that holds {{ # , : or ? must be quoted: write it as "..."'


class _Stop(Exception):
    """A problem after which nothing more can be read."""


def read_yaml_file(path: Path, problems: Problems, *, shown_as: str | None = None) -> Node | None:
    """The tree of a file; None, with a problem, when it cannot be read."""
    name = shown_as or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        problems.error(SourcePosition(name), f"the file cannot be read: {error.strerror or 'unknown reason'}")
        return None
    return read_yaml_bytes(data, name, problems)


def read_yaml_bytes(data: bytes, path: str, problems: Problems) -> Node | None:
    """The tree of UTF-8 bytes; None, with a problem, when they are too many, binary or not YAML."""
    if len(data) > MAX_BYTES:
        problems.error(
            SourcePosition(path, 1, 1),
            f"the file is larger than {MAX_BYTES:,} bytes; a playbook is a few thousand",
        )
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        problems.error(
            SourcePosition(path, line, column),
            "expected UTF-8 text, got bytes that are none; save it as UTF-8",
        )
        return None
    return read_yaml(text, path, problems)


def read_yaml(text: str, path: str, problems: Problems) -> Node | None:
    """The tree of a YAML text; None when it is empty or not YAML. Problems are added to ``problems``."""
    if len(text) > MAX_BYTES:
        problems.error(SourcePosition(path, 1, 1), f"the text is longer than {MAX_BYTES:,} characters")
        return None
    builder = _Builder(path, problems)
    try:
        return builder.document(text)
    except _Stop:
        return None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = SourcePosition(path, before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        problems.error(place, "expected text, got a control character that YAML does not allow")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = SourcePosition(path, mark.line + 1, mark.column + 1) if mark else SourcePosition(path, 1, 1)
        problems.error(place, _explain(error, text))
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        problems.error(SourcePosition(path, 1, 1), f"this is not YAML: {error}")
    return None


def typed(text: str) -> Scalar:
    """The value of a plain scalar: only these five kinds are not text."""
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if _INT.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text


def ambiguous(text: str) -> bool:
    """Whether a YAML 1.1 reader would not read this plain text as the text it is."""
    return _YAML_1_1.fullmatch(text) is not None


class _Builder:
    def __init__(self, path: str, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self._nodes = 0
        self._flow = 0

    def document(self, text: str) -> Node | None:
        events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(event, "expected one document, got a second '---'")
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        return root

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        self._nodes += 1
        if depth > MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels; a playbook needs fewer than ten")
        if self._nodes > MAX_NODES:
            self._stop(event, f"more than {MAX_NODES:,} values; a playbook has a few hundred")
        self._refuse(event)
        place = self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._leaf(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(event, events, depth, place)
        if isinstance(event, yaml.MappingStartEvent):
            return self._map(event, events, depth, place)
        raise _Stop

    def _leaf(self, event: yaml.ScalarEvent, place: SourcePosition) -> Leaf:
        text: str = event.value
        if event.style is not None:
            return Leaf(text=text, value=text, place=place)
        value = typed(text)
        if isinstance(value, str) and text and ambiguous(text):
            self._problems.warning(
                place, f"{shown(text)} is read as text here; other YAML readers differ: quote it"
            )
        return Leaf(text=text, value=value, place=place)

    def _items(
        self, event: yaml.SequenceStartEvent, events: Iterator[yaml.Event], depth: int, place: SourcePosition
    ) -> Items:
        nodes: list[Node] = []
        self._flow += bool(event.flow_style)
        for following in events:
            if isinstance(following, yaml.SequenceEndEvent):
                break
            nodes.append(self._node(following, events, depth + 1))
        self._flow -= bool(event.flow_style)
        return Items(nodes=tuple(nodes), place=place)

    def _map(
        self, event: yaml.MappingStartEvent, events: Iterator[yaml.Event], depth: int, place: SourcePosition
    ) -> Map:
        entries: dict[str, MapEntry] = {}
        flow = bool(event.flow_style)
        self._flow += flow
        for following in events:
            if isinstance(following, yaml.MappingEndEvent):
                break
            at = self._place(following)
            key = self._key(following)
            value = next(events)
            node = self._node(value, events, depth + 1)
            if flow and isinstance(node, Leaf) and node.text == "" and getattr(value, "style", None) is None:
                self._problems.error(at, f"{shown(key)} stands inside {{ }} without a value; {_QUOTE}")
            if key in entries:
                first = entries[key].place
                self._problems.error(at, f"{shown(key)} is written twice here, first in line {first.line}")
                continue
            entries[key] = MapEntry(key=key, node=node, place=at)
        self._flow -= flow
        return Map(entries=tuple(entries.values()), place=place)

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            hint = f"; {_QUOTE}" if self._flow else "; a text that begins with {{ or [ must be quoted"
            self._stop(event, f"expected a name before ':', got a mapping or list{hint}")
        self._nodes += 1
        self._refuse(event)
        if event.style is None and event.value == "<<":
            self._problems.error(self._place(event), "merging with '<<' is refused: write the entries out")
        return str(event.value)

    def _refuse(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._stop(event, f"aliases are refused: write the value out instead of '*{event.anchor}'")
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            self._problems.error(self._place(event), f"anchors are refused: remove '&{anchor}'")
        if tag:
            self._problems.error(self._place(event), f"tags are refused: remove {shown(tag)}")

    def _place(self, event: yaml.Event) -> SourcePosition:
        mark = event.start_mark
        return (
            SourcePosition(self._path, mark.line + 1, mark.column + 1) if mark else SourcePosition(self._path)
        )

    def _stop(self, event: yaml.Event, message: str) -> NoReturn:
        self._problems.error(self._place(event), message)
        raise _Stop


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    said = str(error.problem or error.context or "not YAML")
    mark = error.problem_mark or error.context_mark
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    in_flow = "flow" in str(error.context or "") or "{" in line
    message = f"this is not YAML: {said}"
    if "\\t" in said or "'\\t'" in said or said.startswith("found character '\\t'"):
        return f"{message}; indent with spaces, not tabs"
    if in_flow:
        return f"{message}; {_QUOTE}"
    if "mapping values are not allowed" in said:
        return f"{message}; a text that holds ': ' must be quoted"
    return message
