"""Writes a playbook as an author's Python file: run, it gives an equal playbook."""

from __future__ import annotations

import json
import keyword
from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Any

from orchestrator.language.fields import DeclaredField, declared
from orchestrator.language.model import ACTIONS, Playbook
from orchestrator.language.outcomes import END_STATUSES
from orchestrator.language.writing.author_writer import CHANNELS, OUTCOMES, builder
from orchestrator.language.writing.plain_writer import OrderedFields, number, plain_playbook

WIDTH = 110
_CHANNEL_OUTCOMES = frozenset(
    (*CHANNELS, "preferred", "defer", "skip")
)  # what stands in channel, among, when_capped


class _Code(str):
    """Python text that is written as it is."""

    __slots__ = ()


def to_python(playbook: Playbook) -> str:
    """The text of a ``playbook.py``."""
    return _Writer().playbook(playbook)


class _Writer:
    """Writes one playbook and keeps the author's words it used, which the file imports."""

    def __init__(self) -> None:
        self._used = {"Playbook", "Enter", "Step"}

    def playbook(self, playbook: Playbook) -> str:
        fields = plain_playbook(playbook)
        fields = {"name": fields.pop("playbook"), **fields}
        fields["enter"] = _call("Enter", fields["enter"], 1)
        if "goal" in fields:
            fields["goal"] = _call(self._word("Goal"), fields["goal"], 1)
        if "at_any_step" in fields:
            fields["at_any_step"] = self._routes(fields["at_any_step"])
        fields["steps"] = [self._step(name, value) for name, value in fields["steps"]]
        body = _call("Playbook", fields, 0)
        return f"from orchestrator import {', '.join(sorted(self._used))}\n\nplaybook = {body}\n"

    def _step(self, name: str, value: dict[str, Any]) -> _Code:
        arguments = [_text(name)]
        for key, inner in value.items():
            if key in ACTIONS:
                arguments.append(self._action(key, inner))
            elif key == "then" and "split" not in value and not isinstance(inner, str):
                arguments.append(f"then={_value(self._routes(inner), 3)}")
            else:
                arguments.append(f"{_keyword(key)}={_value(inner, 3)}")
        return _Code(_joined("Step", arguments, 2))

    def _action(self, key: str, value: Any) -> str:
        name = self._word(builder(key))
        fields = declared(ACTIONS[key])
        if key == "choose":
            return _joined(name, [_call(self._word("Branch"), row, 4) for row in value], 3)
        if len(fields) == 1:
            return _joined(name, [_value(self._field(fields[0], value), 4)], 3)
        if not isinstance(value, dict):  # the block as the one field that stands for it
            return _joined(name, [_value(value, 4)], 3)
        first = [_value(value[one.key], 4) for one in fields if one.field.alone]
        rest = [
            f"{one.attribute}={_value(self._field(one, value[one.key]), 4)}"
            for one in fields
            if not one.field.alone and one.key in value
        ]
        return _joined(name, [*first, *rest], 3)

    def _field(self, one: DeclaredField, value: Any) -> Any:
        """A field's value with the author's own names marked where the builders know the engine's words."""
        match one.field.spelling:
            case "ending":
                return self._own(value, END_STATUSES)
            case "channels" | "channel_list" | "capped":
                return self._channels(value)
            case _:
                return value

    def _channels(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._own(inner, _CHANNEL_OUTCOMES) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._own(one, _CHANNEL_OUTCOMES) for one in value]
        return self._own(value, _CHANNEL_OUTCOMES)

    def _routes(self, routes: Any) -> OrderedFields:
        return OrderedFields((self._own(outcome, OUTCOMES), to) for outcome, to in routes)

    def _own(self, word: str, known: Container[str]) -> str:
        return word if word in known else _Code(f"{self._word('OwnName')}({_text(word)})")

    def _word(self, name: str) -> str:
        self._used.add(name)
        return name


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
    if isinstance(value, _Code):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
