"""How the command line speaks: answers on stdout (words or JSON), everything else on stderr."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from orchestrator import errors
from orchestrator.cli.exits import Exit
from orchestrator.telemetry import redact

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON value on stdout.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line for people on stdout, printed as it is."""
    out.print(text, markup=False)


def note(text: str) -> None:
    """One line beside the answer, on stderr."""
    err.print(text, markup=False)


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")
    sys.stdout.flush()


def table(
    title: str | None, columns: Iterable[str], rows: Iterable[Iterable[Any]], *, right: int = 1
) -> Table:
    """A table whose first ``right`` columns are words and whose others are figures, set to the right."""
    drawn = Table(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    for place, column in enumerate(columns):
        drawn.add_column(column, justify="left" if place < right else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    return drawn


def show(thing: Any) -> None:
    """Print something rich knows how to draw; as wide as the words need when nobody looks at a terminal."""
    if out.is_terminal:
        out.print(thing)
        return
    console = Console(highlight=False, width=10_000, file=sys.stdout)
    console.width = max(200, Measurement.get(console, console.options, thing).maximum)
    with console.capture() as drawn:
        console.print(thing)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))


def instant(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if value else ""


def complain(error: Exception, *, code: Exit) -> None:
    """Tell an error: words on stderr, and a JSON object on stdout for who asked for JSON."""
    message = redact(str(error)) or type(error).__name__
    if "--json" in sys.argv:
        print_json(
            {"error": {"kind": type(error).__name__, "message": message, **_facts(error), "exit_code": code}}
        )
    if code is Exit.DEFECT:
        message = (
            f"unexpected {type(error).__name__}: {message}\n"
            "This is a defect; the same command with ORCHESTRATOR_LOG_LEVEL=debug prints where."
        )
    note(f"orchestrator: {message}")


def _facts(error: Exception) -> Mapping[str, Any]:
    match error:
        case errors.SettingsError(problems=problems):
            return {"problems": list(problems)}
        case errors.DefinitionError(problems=problems):
            return {"problems": [dataclasses.asdict(problem) for problem in problems]}
        case errors.StartRefused(reason=reason, detail=detail):
            return {"reason": reason, "detail": detail}
        case errors.NotFound(what=what, key=key):
            return {"what": what, "key": key}
        case _:
            return {}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
