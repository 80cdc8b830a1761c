"""Files of rows, JSON lines or CSV by their ending: read as they come, each row with its line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UNREADABLE = (OSError, UnicodeDecodeError, csv.Error)
"""What reading a file may raise; :func:`why` says it in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row as it was written. ``cells``: its values are the texts of a CSV file, empty ones left out.

    ``problem`` is what makes it no row.
    """

    number: int
    values: Mapping[str, Any] = field(default_factory=dict)
    cells: bool = False
    problem: str | None = None


def read_rows(path: Path) -> Iterator[Row]:
    """Every row that is not blank. Raises :data:`UNREADABLE`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".csv":
            reader = csv.DictReader(file, strict=True)
            for cells in reader:
                yield _of_cells(reader.line_num, cells)
            return
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield _of_json(number, text)


def count_rows(path: Path) -> int:
    """How many rows there are at most, for a progress bar; 0 for what cannot be read."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0


def why(error: Exception) -> str:
    """Why a file cannot be read."""
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return "expected UTF-8 text, got bytes that are none"
    return f"this is no CSV: {error}"


def _of_json(number: int, text: str) -> Row:
    try:
        values = json.loads(text)
    except ValueError:
        return Row(number=number, problem="expected one JSON object, got something that is no JSON")
    if not isinstance(values, dict):
        return Row(number=number, problem=f"expected one JSON object, got {type(values).__name__}")
    return Row(number=number, values=values)


def _of_cells(number: int, cells: Mapping[str | None, Any]) -> Row:
    if None in cells:
        return Row(number=number, cells=True, problem="this row has more cells than the first row has names")
    filled = {str(name): value for name, value in cells.items() if value not in (None, "")}
    return Row(number=number, values=filled, cells=True)
