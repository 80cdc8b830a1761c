"""Writes a playbook as an author's Python file: run, it gives an equal playbook."""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from orchestrator.language.model import Playbook
from orchestrator.language.writing.plain_writer import OrderedFields, number, plain_playbook

WIDTH = 110
# The action's key to the author's call, and whether its value is given as keyword arguments.
_CALLS = {
    "send": "Send", "ask": "Ask", "handoff": "Handoff", "call": "Call", "choose": "Choose", "split": "Split",
    "set": "Set", "start": "Start", "cooldown": "Cooldown", "wait_until": "WaitUntil", "end": "End",
}  # fmt: skip


class _Code(str):
    """Python text that is written as it is."""

    __slots__ = ()


def to_python(playbook: Playbook) -> str:
    """The text of a ``playbook.py``."""
    fields = plain_playbook(playbook)
    used = {"Playbook", "Enter", "Step"}
    fields["enter"] = _call("Enter", fields["enter"], 1)
    if "goal" in fields:
        fields["goal"] = _call("Goal", fields["goal"], 1)
        used.add("Goal")
    fields["steps"] = [_step(name, value, used) for name, value in fields["steps"]]
    body = _call("Playbook", fields, 0)
    return f"from orchestrator import {', '.join(sorted(used))}\n\nplaybook = {body}\n"


def _step(name: str, value: dict[str, Any], used: set[str]) -> _Code:
    arguments: list[str] = [_text(name)]
    for key, inner in value.items():
        if key in _CALLS:
            used.add(_CALLS[key])
            arguments.append(_action(key, inner, used))
    arguments += [f"{_keyword(key)}={_value(inner, 3)}" for key, inner in value.items() if key not in _CALLS]
    return _Code(_joined("Step", arguments, 2))


def _action(key: str, value: Any, used: set[str]) -> str:
    name = _CALLS[key]
    if key == "choose":
        used.add("Branch")
        return _joined(name, [_call("Branch", row, 4) for row in value], 3)
    if key == "cooldown" and isinstance(value, dict):
        return _joined(name, [_value(value["for"], 4), f"scope={_value(value['scope'], 4)}"], 3)
    if key in ("split", "cooldown", "wait_until", "end"):
        return _joined(name, [_value(value, 4)], 3)
    return _call(name, value, 3)


def _call(name: str, fields: dict[str, Any], depth: int) -> _Code:
    return _Code(
        _joined(name, [f"{_keyword(key)}={_value(value, depth + 1)}" for key, value in fields.items()], depth)
    )


def _keyword(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _joined(name: str, arguments: Iterable[str], depth: int) -> str:
    return _bracketed(f"{name}(", list(arguments), ")", depth)


def _bracketed(opening: str, parts: list[str], closing: str, depth: int) -> str:
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) + 4 * depth <= WIDTH - 20 and "\n" not in line:
        return line
    pad = "    " * (depth + 1)
    inner = "".join(f"{pad}{part},\n" for part in parts)
    return f"{opening}\n{inner}{'    ' * depth}{closing}"


def _value(value: Any, depth: int) -> str:
    if isinstance(value, _Code):
        return str(value)
    if isinstance(value, dict | OrderedFields):
        items = value if isinstance(value, OrderedFields) else value.items()
        return _bracketed(
            "{", [f"{_text(key)}: {_value(inner, depth + 1)}" for key, inner in items], "}", depth
        )
    if isinstance(value, list | tuple):
        return _bracketed("[", [_value(one, depth + 1) for one in value], "]", depth)
    if isinstance(value, Decimal):
        text = number(value)
        return text if "." in text else f"{text}.0"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """A Python text in double quotes; JSON's escapes are Python's too."""
    return json.dumps(value, ensure_ascii=False)
