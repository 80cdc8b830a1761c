"""What holds between the fields of one block: which go together, and which exclude each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.language.model import Ask, Call, Enter, Send, Set
from orchestrator.language.problems import shown
from orchestrator.language.reading.field_reader import Fields

BlockRule = Callable[
    [Fields, Mapping[str, Any]], None
]  # what was written, and the attributes that were read from it


def _send(found: Fields, attributes: Mapping[str, Any]) -> None:
    if "among" in attributes and attributes.get("channel") != ("preferred",):
        found.error("among", "'among' goes with 'channel: preferred'")


def _ask(found: Fields, attributes: Mapping[str, Any]) -> None:
    if ("answers" in found) == ("scale" in found):
        found.error("scale", "expected either answers or scale")
    keys = [key for key, _ in attributes.get("answers", ())]
    if "scale" in attributes:
        low, high = attributes["scale"]
        keys += [str(number) for number in range(low, high + 1)]
    for key in attributes.get("negative", ()):
        if keys and key not in keys:
            found.error("negative", f"negative names {shown(key)}, which is no answer")


def _call(found: Fields, _: Mapping[str, Any]) -> None:
    if ("function" in found) == ("webhook" in found):
        found.error("webhook", "expected either function or webhook")


def _set(found: Fields, attributes: Mapping[str, Any]) -> None:
    if all(entry.key in attributes for entry in found.node.entries) and not any(attributes.values()):
        found.problems.error(found.place, f"{found.what}: expected attributes, add_tags or remove_tags")


def _enter(found: Fields, _: Mapping[str, Any]) -> None:
    if ("calendar" in found) != ("ahead" in found):
        key = "calendar" if "calendar" in found else "ahead"
        found.error(
            key, "calendar and ahead go together: which events, and how long before them the walk begins"
        )


RULES: Mapping[type, BlockRule] = {Send: _send, Ask: _ask, Call: _call, Set: _set, Enter: _enter}
