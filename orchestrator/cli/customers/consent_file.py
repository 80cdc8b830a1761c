"""Consents in files: JSON lines or CSV, one grant or withdrawal a line; every problem with its line.

The names are the same in both: ``customer``, ``action`` (granted, confirmed, revoked), ``occurred_at``, ``source``;
``channel`` and ``topic`` (default: ``*``), ``method`` (default: import), ``basis``, ``wording``, ``wording_locale``,
``wording_version``, ``jurisdiction``, ``expires_at``, ``actor``, ``address``, ``id``. In JSON lines ``evidence`` is an
object; in CSV every column ``evidence.NAME`` is a part of it. Empty cells are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from orchestrator.errors import DefinitionError, Problem
from orchestrator.records.consent import ConsentBasis, ConsentEvidence, ConsentFact, ConsentMethod
from orchestrator.row_files import UNREADABLE, Row, read_rows, why

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
        for row in read_rows(path):
            try:
                yield Line(number=row.number, fact=_fact(row))
            except ValueError as error:
                yield Line(number=row.number, problem=str(error))
    except UNREADABLE as error:
        raise DefinitionError([Problem(path=str(path), message=why(error))]) from error


def _named(row: Row) -> Mapping[str, Any]:
    """The row without what was left empty, its columns ``evidence.NAME`` as one object."""
    given = {name: value for name, value in row.values.items() if value is not None}
    if not row.cells:
        return given
    evidence = {
        name.removeprefix("evidence."): value for name, value in given.items() if name.startswith("evidence.")
    }
    own = {name: value for name, value in given.items() if not name.startswith("evidence.")}
    return own | ({"evidence": evidence} if evidence else {})


def _fact(written: Row) -> ConsentFact:
    if written.problem is not None:
        raise ValueError(written.problem)
    row = _named(written)
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
    evidence = ConsentEvidence(
        method=cast(
            ConsentMethod, row.get("method", "import")
        ),  # checked with all others when it is imported
        basis=cast(ConsentBasis, row.get("basis", "express")),
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
