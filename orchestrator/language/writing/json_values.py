"""A playbook as JSON, for the database and for hashing, and back.

JSONB does not keep the order of keys, so every mapping whose order counts (steps, words, answers, variants ...) is a
list of ``[key, value]`` pairs; fixed fields are objects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orchestrator.errors import PlaybookError
from orchestrator.language.model import Playbook
from orchestrator.language.problems import Problems, SourcePosition
from orchestrator.language.reading.playbook import parse_playbook
from orchestrator.language.reading.python_tree import tree_of
from orchestrator.language.writing.plain_writer import OrderedFields, plain_playbook


def to_plain(playbook: Playbook) -> dict[str, Any]:
    """JSON-safe values that :func:`from_plain` reads back into an equal playbook."""
    plain = json_values(plain_playbook(playbook))
    assert isinstance(plain, dict)  # noqa: S101 - a dict goes in
    return plain


def from_plain(plain: Mapping[str, Any], *, path: str = "stored playbook") -> Playbook:
    """The playbook; :class:`~orchestrator.errors.PlaybookError` when it is none, with everything wrong."""
    problems = Problems()
    playbook, found = parse_playbook(tree_of(plain, SourcePosition(path), problems, pairs=True))
    problems.extend(found)
    if playbook is None or problems.errors:
        raise PlaybookError(problems.errors)
    return playbook


def json_values(value: Any) -> Any:
    """Spelled values without anything JSON does not know."""
    if isinstance(value, OrderedFields):
        return [[key, json_values(inner)] for key, inner in value]
    if isinstance(value, dict):
        return {key: json_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(one) for one in value]
    if isinstance(value, Decimal):
        return float(value)
    return value


def canonical(value: Any) -> str:
    """JSON text that is equal exactly when the values are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
