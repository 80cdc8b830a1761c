"""Writes a playbook as YAML: what reads back into an equal playbook, and what every YAML reader reads alike.

Texts that a YAML 1.1 reader would take for something else are quoted. Short mappings stand on one line, as people write
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from orchestrator.language.model import Playbook
from orchestrator.language.reading.yaml_tree import ambiguous, typed
from orchestrator.language.writing.plain_writer import OrderedFields, number, plain_playbook

WIDTH = 110
_BLOCKS = frozenset(
    {"steps", "enter", "signals", "offers", "guardrails", "if"}
)  # never one line when they could be long
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .%/+()$€'’–…-]*[A-Za-z0-9_.%)$€’…]|[A-Za-z0-9_]")


def to_yaml(playbook: Playbook) -> str:
    """The playbook as a YAML text, ended by a line break."""
    return "".join(f"{line}\n" for line in _mapping(plain_playbook(playbook).items(), 0))


def _mapping(pairs: Iterable[tuple[str, Any]], indent: int) -> Iterable[str]:
    pad = " " * indent
    for key, value in pairs:
        head = f"{pad}{_scalar(str(key))}:"
        line = f"{head} {_flow(value)}"
        if not _nested(value) or (
            key != "steps" and len(line) <= WIDTH and (indent > 0 or key not in _BLOCKS)
        ):
            yield line
        elif _is_mapping(value):
            yield head
            yield from _mapping(_items(value), indent + 2)
        else:
            yield head
            yield from _list(value, indent + 2)


def _list(values: Iterable[Any], indent: int) -> Iterable[str]:
    pad = " " * indent
    for value in values:
        line = f"{pad}- {_flow(value)}"
        if not _nested(value) or len(line) <= WIDTH or not _is_mapping(value):
            yield line
            continue
        first, *rest = _mapping(_items(value), indent + 2)
        yield f"{pad}- {first.lstrip()}"
        yield from rest


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    return value if isinstance(value, OrderedFields) else value.items()


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict | OrderedFields)


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list | tuple) and len(value) > 0


def _flow(value: Any) -> str:
    """A value on one line."""
    if _is_mapping(value):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(inner)}" for key, inner in _items(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        text = number(value)
        return text if "." in text else f"{text}.0"
    text = str(value)
    plain = (
        _PLAIN.fullmatch(text) and isinstance(typed(text), str) and not ambiguous(text) and "  " not in text
    )
    return text if plain and " #" not in text and ": " not in text else quoted(text)


def quoted(text: str) -> str:
    """A double-quoted YAML scalar on one line."""
    made = []
    for letter in text:
        if letter in '"\\':
            made.append(f"\\{letter}")
        elif letter == "\n":
            made.append("\\n")
        elif letter == "\t":
            made.append("\\t")
        elif letter.isprintable():
            made.append(letter)
        else:
            code = ord(letter)
            made.append(
                f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
            )
    return '"' + "".join(made) + '"'
