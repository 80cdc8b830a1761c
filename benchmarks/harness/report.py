"""Figures as they are shown: medians with their spread, tables in Markdown, the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.harness.scratch import connect

RESULTS = Path(__file__).parents[1] / "results"
_LIBRARIES = ("orchestrator", "sqlalchemy", "psycopg", "celery", "jinja2", "sendgrid", "dbos")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of the plot: the median, and from where to where the runs went."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a part found. ``bars`` are drawn when a plot is made; ``unit`` is what they count."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    bars: Sequence[Bar] = ()
    unit: str = ""


@dataclass(kw_only=True)
class Job:
    """What a part is told: where the databases are made, how large and how often, and whom it tells how far it is."""

    server: str
    quick: bool
    rounds: int
    customers: int
    tell: Callable[[str], None] = field(default=lambda _: None)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """``1200 (1150–1230)``: median, smallest, largest; a single value stands alone."""
    middle = f"{median(values):,.{digits}f}"
    if len(values) < 2:
        return middle
    return f"{middle} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def bar(label: str, values: Sequence[float]) -> Bar:
    return Bar(label=label, value=median(values), low=min(values), high=max(values))


def machine(server: str) -> dict[str, str]:
    """The machine, and the versions of what ran on it."""
    with connect(server) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()
            for name in ("server_version", "shared_buffers", "fsync")
        }
    found = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processors": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        **{f"PostgreSQL {name}": str(row[0]) for name, row in shown.items() if row},
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def as_markdown(tables: Sequence[Table], told: dict[str, str], command: str) -> str:
    lines = [
        "# Benchmarks",
        "",
        f"Made by `{command}`; medians, in brackets the smallest and largest run.",
        "",
    ]
    lines += [f"- {name}: {value}" for name, value in told.items()]
    for table in tables:
        lines += ["", f"## {table.title}", "", _line(table.columns), _line(["---"] * len(table.columns))]
        lines += [_line(row) for row in table.rows]
        lines += ["", *table.notes] if table.notes else []
    return "\n".join(lines) + "\n"


def write(tables: Sequence[Table], told: dict[str, str], command: str, folder: Path) -> list[Path]:
    """The results as Markdown, as JSON, and as a plot where matplotlib is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    text, values = folder / "latest.md", folder / "latest.json"
    text.write_text(as_markdown(tables, told, command), encoding="utf-8")
    found = {"command": command, "machine": told, "tables": [asdict(table) for table in tables]}
    values.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [text, values]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
