"""Recorded signals in files: JSON lines or CSV, one fact a line; every problem with its line.

JSON lines, by our names or those of the Segment tracking API::

    {"customer": "c-1", "at": "2026-03-01T09:00:00Z", "event": "usage_reported", "properties": {"seats": 4}, "id": "u1"}
    {"customer": "c-1", "at": "2026-03-01T09:00:00Z", "traits": {"plan": "team"}}

CSV: the columns ``customer`` and ``at``, then ``event`` (empty: profile facts), ``id``, ``account`` (true: the key is
an account's); every other column is a property or trait. Empty cells are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.errors import DefinitionError, Problem
from orchestrator.records.intake import Identify, Track
from orchestrator.row_files import UNREADABLE, Row, read_rows, why

_ALIASES = {"userId": "customer", "timestamp": "at", "messageId": "id"}
_OWN = frozenset({"customer", "at", "event", "id", "account"})
_MOST_PROBLEMS = 50


def read_signals(path: Path) -> list[Identify | Track]:
    """The facts of a file in its order. Raises DefinitionError with every problem, fifty at most."""
    facts: list[Identify | Track] = []
    problems: list[Problem] = []
    try:
        for row in read_rows(path):
            try:
                facts.append(_fact(row))
            except ValueError as error:
                problems.append(Problem(path=str(path), line=row.number, column=1, message=str(error)))
                if len(problems) == _MOST_PROBLEMS:
                    break
    except UNREADABLE as error:
        problems.append(Problem(path=str(path), message=why(error)))
    if not facts and not problems:
        problems.append(Problem(path=str(path), message="there is no signal in this file"))
    if problems:
        raise DefinitionError(problems)
    return facts


def _named(row: Row) -> Mapping[str, Any]:
    """The row by our names."""
    if not row.cells:
        return {_ALIASES.get(name, name): value for name, value in row.values.items()}
    facts = {name: _cell(value) for name, value in row.values.items() if name not in _OWN}
    own = {name: value for name, value in row.values.items() if name in _OWN}
    return {
        **own,
        "account": own.get("account") == "true",
        "properties" if own.get("event") else "traits": facts,
    }


def _cell(text: str) -> Any:
    """Numbers, true and false as such, all else as text; a leading zero means a code, not a number."""
    if text in ("true", "false"):
        return text == "true"
    number = text.removeprefix("-")
    if (
        number.isascii()
        and number.replace(".", "", 1).isdigit()
        and (number[0] != "0" or number[:2] in ("0", "0."))
    ):
        return float(text) if "." in text else int(text)
    return text


def _fact(written: Row) -> Identify | Track:
    if written.problem is not None:
        raise ValueError(written.problem)
    row = _named(written)
    key = row.get("customer")
    if not isinstance(key, str) or not key:
        raise ValueError("expected customer: the product's key as text")
    at = _instant(row.get("at"))
    source_id = row.get("id")
    if source_id is not None and not isinstance(source_id, str):
        raise ValueError(f"id: expected text, got {source_id!r}")
    account = row.get("account", False) is True
    event = row.get("event")
    facts = row.get("properties" if event else "traits", {})
    if type(facts) is not dict:
        raise ValueError(
            f"{'properties' if event else 'traits'}: expected an object, got {type(facts).__name__}"
        )
    if event is None and "traits" not in row:
        raise ValueError("expected an event with properties, or traits")
    if event is None:
        return Identify(key=key, traits=facts, source_id=source_id, occurred_at=at, account=account)
    if not isinstance(event, str) or not event:
        raise ValueError(f"event: expected a name, got {event!r}")
    return Track(key=key, event=event, properties=facts, source_id=source_id, occurred_at=at, account=account)


def _instant(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None:
        raise ValueError(f"at: expected an instant such as 2026-03-01T09:00:00Z, got {value!r}")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
