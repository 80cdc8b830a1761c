"""Buffers touched and time taken by claims, sweep, health, publishing a policy and a scan, at growing sizes.

Buffers are PostgreSQL's own count for the database (``pg_stat_database``), in which nobody else works. On one machine
they hardly vary: what grows in them grows with the size. A scan asks everybody, so it is counted by the customer.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from time import perf_counter

from sqlalchemy import text

from benchmarks.harness.report import Job, Table, median, spread
from benchmarks.harness.scratch import connect, pass_days, scratch
from benchmarks.scale.rows import fill, fill_inbox, hold_back
from benchmarks.two_sends import workload
from benchmarks.two_sends.engine import wave
from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine
from orchestrator.errors import OrchestratorError
from orchestrator.settings import Settings

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000)
_LIMIT = 500
_TIMES = 5
Cost = tuple[float, float]  # buffers, milliseconds


def run(job: Job) -> list[Table]:
    sizes = QUICK_SIZES if job.quick else SIZES
    costs: dict[str, dict[int, list[Cost]]] = defaultdict(dict)
    for size in sizes:
        job.tell(f"scale: {size:,} waiting")
        for what, found in _measured(job, size).items():
            costs[what][size] = found
    return [
        _table("Buffers touched while so many wait", costs, sizes, lambda cost: cost[0], "buffers"),
        _table("Milliseconds while so many wait", costs, sizes, lambda cost: cost[1], "milliseconds"),
    ]


def _measured(job: Job, size: int) -> Mapping[str, list[Cost]]:
    found: dict[str, list[Cost]] = {}
    with scratch(job.server) as url, ExitStack() as stack:
        engine = build_engine(_patient(workload.settings(url)))
        stack.callback(engine.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workload.publish(engine, folder)
        workload.load(engine, 0, 1)
        wave(engine)
        fill(url, size)
        pass_days(url, workload.WAIT_DAYS + 1)

        def cost(what: str, verb: Callable[[], object], *, times: int = _TIMES, parts: int = 1) -> None:
            job.tell(f"scale: {size:,} waiting: {what}")
            found[what] = _cost(engine, verb, times=times, parts=parts)

        cost("claim of 500, timers due", lambda: _claim(engine))
        cost("sweep, timers due", engine.sweep)
        cost("health, timers due", engine.reports.health)
        cost("readiness, timers due", engine.reports.readiness)
        fill_inbox(url)
        cost("claim of 500, events and timers", lambda: _claim(engine))
        hold_back(url)
        cost("claim of 500, and messages held back", lambda: _claim(engine))
        cost("health, and messages held back", engine.reports.health)
        with connect(url) as connection:
            connection.execute("TRUNCATE inbox")
        cost("publishing a policy, messages held back", lambda: _publish(engine, folder), times=1)
        with connect(url) as connection:
            connection.execute("TRUNCATE inbox")
        _publish_daily(engine, folder)
        cost("a scan, for each customer", engine.scan, times=1, parts=size)
    return found


def _patient(settings: Settings) -> Settings:
    """Nobody else writes; one connection is asked for its counters."""
    return settings.model_copy(update={"pool_size": 1})


def _claim(engine: Engine) -> None:
    """Find and lock, then let go."""
    with suppress(_RolledBackError), engine.services.store.begin() as transaction:
        now = transaction.instants()
        transaction.claims.due(
            now=now.business, machine=now.machine, limit=_LIMIT, capacity={"sandbox": _LIMIT}
        )
        raise _RolledBackError


class _RolledBackError(OrchestratorError):
    """Ends a transaction that is to leave nothing behind."""


def _publish(engine: Engine, folder: Path) -> None:
    path = folder / "policy.yaml"
    path.write_text(path.read_text().replace("at_most: 12", "at_most: 13"), encoding="utf-8")
    engine.publish(folder)


def _publish_daily(engine: Engine, folder: Path) -> None:
    """A playbook that asks everybody once a day."""
    for name in ("first", "second"):
        source = folder / workload.PLAYBOOK / f"{name}.email.txt"
        target = folder / "daily" / source.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.read_text(), encoding="utf-8")
    words = (folder / workload.PLAYBOOK / "playbook.yaml").read_text().replace(workload.PLAYBOOK, "daily")
    words = words.replace(f"when: {workload.EVENT}", "every: day, if: {plan: none}")
    (folder / "daily" / "playbook.yaml").write_text(words, encoding="utf-8")
    engine.publish(folder)


def _cost(engine: Engine, verb: Callable[[], object], *, times: int, parts: int) -> list[Cost]:
    if times > 1:
        verb()  # plans are made, pages are read
    found = []
    for _ in range(times):
        before = _buffers(engine)
        began = perf_counter()
        verb()
        taken = perf_counter() - began
        found.append(((_buffers(engine) - before) / parts, 1e3 * taken / parts))
    return found


def _buffers(engine: Engine) -> float:
    """Blocks asked for in this database so far. The connections of the pool say what they did before they are asked."""
    with engine.database.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        connection.commit()
        row = connection.execute(
            text("SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()")
        ).scalar_one()
        return float(row)


def _table(
    title: str,
    costs: Mapping[str, Mapping[int, list[Cost]]],
    sizes: tuple[int, ...],
    which: Callable[[Cost], float],
    unit: str,
) -> Table:
    rows = []
    for what, by_size in costs.items():
        values = {size: [which(cost) for cost in by_size[size]] for size in sizes if size in by_size}
        first, last = median(values[sizes[0]]), median(values[sizes[-1]])
        digits = 3 if "each customer" in what else (0 if unit == "buffers" else 1)
        rows.append(
            [what, *(spread(values[size], digits) for size in sizes), f"{last / first:.2f}" if first else "-"]
        )
    return Table(
        title=title,
        columns=["what", *(f"{size:,}" for size in sizes), "largest ÷ smallest"],
        rows=rows,
        notes=["A claim takes its locks and lets them go; a sweep finds nobody who was passed over."],
    )
