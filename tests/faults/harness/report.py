"""A table of scenarios, for people; a line of JSON each, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.faults.harness.conduct import Result

_HEAD = (
    "scenario",
    "seed",
    "s",
    "people",
    "messages",
    "calls",
    "taken",
    "uncertain",
    "given up",
    "faults",
    "wrong",
)


def append(path: Path, result: Result) -> None:
    with path.open("a") as lines:
        lines.write(json.dumps(result.as_dict(), default=str) + "\n")


def table(results: Sequence[Result]) -> str:
    """One row a scenario, and below it what only this scenario looks at and what is wrong."""
    rows = [_HEAD, *(_row(one) for one in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines: list[str] = []
    for number, row in enumerate(rows):
        padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells = [row[0].ljust(widths[0]), *padded[1:]]
        lines.append("  ".join(cells).rstrip())
        if number:
            lines += [f"    {line}" for line in _more(results[number - 1])]
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    figures = result.figures
    return (
        result.scenario,
        str(result.seed),
        f"{result.seconds:.0f}",
        *(
            str(figures.get(name, ""))
            for name in ("customers", "messages", "calls", "taken", "uncertain", "given_up")
        ),
        str(sum(figures.get("spans", {}).values())),
        "none" if result.ok else str(len(result.violations)),
    )


_OWN = (
    "kills", "on_the_wire_max", "never_begun_max", "caught", "held_s_max", "away_s", "answered_away", "filed_after_s",
    "outages", "silence_s_max", "end_after_s", "released", "within_two_seconds", "longest_after_withdrawal",
    "withdrawal_s_p99", "withdrawals_repeated", "product_refused",
)  # fmt: skip


def _more(result: Result) -> list[str]:
    own = [f"{name} {result.figures[name]}" for name in _OWN if result.figures.get(name) not in (None, {}, 0)]
    wrong = result.as_dict()["violations"]
    lines = [", ".join(own)] if own else []
    lines += [f"{law}: {many}" for law, many in wrong.items()]
    return lines + [f"  {one}" for one in result.as_dict()["examples"][:6]]
