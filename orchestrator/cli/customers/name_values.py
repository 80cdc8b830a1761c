"""``name=value`` pairs on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

NameValues = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=VALUE]...",
        help="Facts; a value that reads as JSON (7, true, null, 0.8) is taken as such, all else is text.",
        show_default=False,
    ),
]


def read_facts(pairs: Sequence[str] | None) -> dict[str, Any]:
    facts = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"expected NAME=VALUE, got {pair!r}")
        facts[name] = _value(value)
    return facts


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
