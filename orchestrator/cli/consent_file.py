"""Consents in files: JSON lines or CSV, one grant or withdrawal a line; every problem with its line.

The names are the same in both: ``customer``, ``action`` (granted, confirmed, revoked), ``occurred_at``, ``source``;
``channel`` and ``topic`` (default: ``*``), ``method`` (default: import), ``basis``, ``wording``, ``wording_locale``,
``wording_version``, ``jurisdiction``, ``expires_at``, ``actor``, ``address``, ``id``. In JSON lines ``evidence`` is an
object; in CSV every column ``evidence.NAME`` is a part of it. Empty cells are left out.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from orchestrator.errors import DefinitionError, Problem
from orchestrator.service.values import Basis, ConsentFact, Method, OptOutEvidence

_FACT = ("customer", "action", "occurred_at", "channel", "topic", "address", "id")
_EVIDENCE = (
    "source", "method", "basis", "actor", "wording", "wording_locale", "wording_version", "jurisdiction", "expires_at",
)  # fmt: skip
_NAMES = frozenset((*_FACT, *_EVIDENCE, "evidence"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line: a fact, or what is wrong with it."""

    number: int
    fact: ConsentFact | None = None
    problem: str | None = None


def read_consents(path: Path) -> Iterator[Line]:
    """The lines of a file, as they are read. Raises DefinitionError when the file itself cannot be."""
    try:
        for number, row in _rows(path):
            try:
                yield Line(number=number, fact=_fact(row))
            except ValueError as error:
                yield Line(number=number, problem=str(error))
    except UnicodeDecodeError as error:
        raise DefinitionError([Problem(path=str(path), message="expected UTF-8 text")]) from error
    except (OSError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else f"this is no CSV: {error}"
        raise DefinitionError([Problem(path=str(path), message=str(why))]) from error


def count_lines(path: Path) -> int:
    """How many lines there are at most, for a progress bar."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".csv":
            reader = csv.DictReader(file, strict=True)
            for cells in reader:
                yield reader.line_num, _of_cells(cells)
            return
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield number, _of_json(text)


def _of_json(text: str) -> Mapping[str, Any]:
    try:
        row = json.loads(text)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        return {"problem": "expected one JSON object"}
    return {name: value for name, value in row.items() if value is not None}


def _of_cells(cells: Mapping[Any, Any]) -> Mapping[str, Any]:
    if None in cells:
        return {"problem": "this row has more cells than the first row has names"}
    filled = {str(name): value for name, value in cells.items() if value not in (None, "")}
    row: dict[str, Any] = {name: value for name, value in filled.items() if not name.startswith("evidence.")}
    evidence = {
        name.removeprefix("evidence."): value
        for name, value in filled.items()
        if name.startswith("evidence.")
    }
    return row | ({"evidence": evidence} if evidence else {})


def _fact(row: Mapping[str, Any]) -> ConsentFact:
    if "problem" in row:
        raise ValueError(row["problem"])
    unknown = sorted(row.keys() - _NAMES)
    if unknown:
        raise ValueError(f"expected only {', '.join(sorted(_NAMES))}; got {', '.join(unknown)}")
    for name in ("customer", "action", "occurred_at", "source"):
        if not row.get(name):
            raise ValueError(f"{name}: expected a text, got nothing")
    wrong = [name for name in (*_FACT, *_EVIDENCE) if type(row.get(name, "")) is not str]
    if wrong:
        raise ValueError(f"{wrong[0]}: expected a text, got {type(row[wrong[0]]).__name__}")
    details = row.get("evidence", {})
    if type(details) is not dict:
        raise ValueError(f"evidence: expected an object, got {type(details).__name__}")
    evidence = OptOutEvidence(
        method=cast(Method, row.get("method", "import")),  # checked with all others when it is imported
        basis=cast(Basis, row.get("basis", "express")),
        source=row["source"],
        actor=row.get("actor", "customer"),
        wording=row.get("wording"),
        wording_locale=row.get("wording_locale"),
        wording_version=row.get("wording_version"),
        jurisdiction=row.get("jurisdiction"),
        expires_at=_instant(row, "expires_at") if row.get("expires_at") else None,
        details={str(name): str(value) for name, value in details.items()},
    )
    return ConsentFact(
        key=row["customer"],
        action=row["action"],
        occurred_at=_instant(row, "occurred_at"),
        channel=row.get("channel", "*"),
        topic=row.get("topic", "*"),
        address=row.get("address"),
        source_id=row.get("id"),
        evidence=evidence,
    )


def _instant(row: Mapping[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(row[name])
    except ValueError as error:
        raise ValueError(
            f"{name}: expected an instant such as 2026-03-01T09:00:00Z, got {row[name][:40]!r}"
        ) from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
