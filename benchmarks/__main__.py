"""``python -m benchmarks``: every figure in one go on one machine, with ratios, into ``benchmarks/results``.

    python -m benchmarks                    # all parts, about a quarter of an hour
    python -m benchmarks --quick            # smaller and once, about three minutes
    python -m benchmarks two-sends http     # these parts alone

The databases are made on the server of ORCHESTRATOR_DATABASE_URL (or the embedded one) and dropped at the end.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmarks.calls import part as calls
from benchmarks.harness.plot import draw
from benchmarks.harness.report import RESULTS, Job, Table, machine, write
from benchmarks.harness.scratch import server
from benchmarks.over_http import part as over_http
from benchmarks.scale import part as scale
from benchmarks.two_sends import part as two_sends
from benchmarks.worker import catch_up, memory
from orchestrator.telemetry import configure

PARTS: dict[str, tuple[str, Callable[[Job], list[Table]]]] = {
    "two-sends": ("the engine beside a floor, tasks by hand and durable workflows", two_sends.run),
    "http": ("the same over HTTP, by the provider's latency; the adapter beside bare HTTP", over_http.run),
    "calls": ("a start beside a bare insert, a click until the next hand-over, events taken in", calls.run),
    "scale": ("claims, sweep, health, publishing, scan while up to a million wait", scale.run),
    "memory": ("the size of each process of a real worker while it works", memory.run),
    "catch-up": ("how long the backlog of an hour's outage takes", catch_up.run),
}


def main() -> int:
    wanted = _arguments()
    configure(level="error")
    console = Console(stderr=True)
    job = Job(server=server(), quick=wanted.quick, rounds=wanted.rounds, customers=wanted.customers)
    told = machine(job.server)
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    tables: list[Table] = []
    failed: list[str] = []
    names = wanted.parts or list(PARTS)
    shown = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*shown, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(names))
        job.tell = lambda words: _tell(progress, task, words)
        for name in names:
            began = perf_counter()
            try:
                tables += PARTS[name][1](job)
            except Exception:  # noqa: BLE001 - the other parts go on, and the exit code says it
                failed.append(name)
                progress.console.print(f"{name} failed:\n{traceback.format_exc()}", markup=False)
            progress.advance(task)
            progress.console.print(f"{name}: {perf_counter() - began:.0f} s")
            written = write(
                tables, told, command, wanted.out
            )  # after each part: an interrupted run leaves what it has
    plot = draw(tables, wanted.out)
    print(written[0].read_text(encoding="utf-8"))
    console.print(
        f"written: {', '.join(str(path) for path in [*written, *([plot] if plot else [])])}", markup=False
    )
    if plot is None:
        console.print("no plot: matplotlib is of the extra 'benchmarks'")
    return 1 if failed else 0


def _tell(progress: Progress, task: TaskID, words: str) -> None:
    """On a terminal beside the bar, elsewhere as a line."""
    progress.update(task, description=words)
    if progress.disable:
        progress.console.print(words, markup=False)


def _arguments() -> argparse.Namespace:
    about = "\n".join(f"  {name:<12} {what}" for name, (what, _) in PARTS.items())
    asked = argparse.ArgumentParser(
        prog="python -m benchmarks", description="The engine's speed as ratios.", epilog=f"parts:\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    asked.add_argument(
        "parts", nargs="*", metavar="PART", help="the parts to run; all of them when none is named"
    )
    asked.add_argument(
        "--quick", action="store_true", help="smaller and one round: does it run, and roughly how fast"
    )
    asked.add_argument("--rounds", type=int, help="how often each figure is taken (3, with --quick 1)")
    asked.add_argument(
        "--customers", type=int, help="customers a run, two messages each (1500, with --quick 400)"
    )
    asked.add_argument("--out", type=Path, default=RESULTS, help="where the results are written")
    wanted = asked.parse_args()
    unknown = sorted(set(wanted.parts) - set(PARTS))
    if unknown:
        asked.error(f"no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    wanted.rounds = wanted.rounds or (1 if wanted.quick else 3)
    wanted.customers = wanted.customers or (400 if wanted.quick else 1500)
    return wanted


if __name__ == "__main__":
    sys.exit(main())
