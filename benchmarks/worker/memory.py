"""Resident and proportional size of each process of a worker while it works off wave after wave."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness.cpu_time import family, memory
from benchmarks.harness.report import Job, Table
from benchmarks.harness.scratch import IDLE, pass_days, scratch
from benchmarks.two_sends import workload
from benchmarks.two_sends.by_hand import wait_until
from benchmarks.two_sends.processes import WAVES
from benchmarks.worker.installation import installation, missing
from orchestrator.bootstrap import build_engine

_PROCESSES = 2


def run(job: Job) -> list[Table]:
    title = "Memory of a worker's processes, MB"
    columns = [
        "process",
        "RSS at first",
        "RSS at the end",
        "RSS at most",
        "PSS at the end",
        "growth from the middle on",
    ]
    why = missing()
    if why is not None:
        return [Table(title=title, columns=columns, rows=[], notes=[f"Left out: {why}."])]
    turns = 3 if job.quick else 6
    each = max(50, job.customers // 3)
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with scratch(job.server) as url, ExitStack() as stack:
        engine = build_engine(workload.settings(url))
        stack.callback(engine.close)
        workload.publish(engine, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        pids = stack.enter_context(installation(url, processes=_PROCESSES))
        _look(pids, seen)
        for turn in range(turns):
            job.tell(f"memory, turn {turn + 1} of {turns}")
            workload.load(engine, turn * each, each)
            for _ in range(WAVES):
                wait_until(url, IDLE)
                pass_days(url, workload.WAIT_DAYS + 0.1)
            _look(pids, seen)
    rows = []
    for name, sizes in seen.items():
        resident = [rss for rss, _ in sizes]
        middle = resident[len(resident) // 2]
        rows.append(
            [
                name, f"{resident[0]:.0f}", f"{resident[-1]:.0f}", f"{max(resident):.0f}", f"{sizes[-1][1]:.0f}",
                f"{resident[-1] - middle:+.1f}",
            ]
        )  # fmt: skip
    messages = turns * each * workload.MESSAGES_EACH
    return [
        Table(
            title=title, columns=columns, rows=rows, notes=[f"Over {messages:,} messages in {turns} turns."]
        )
    ]


def _look(pids: Mapping[str, int], seen: dict[str, list[tuple[float, float]]]) -> None:
    for name, pid in pids.items():
        for number, one in enumerate(family(pid)):
            found = memory(one)
            if found[0]:
                label = (
                    f"{name}, parent"
                    if number == 0 and name == "worker"
                    else f"{name} {number}"
                    if number
                    else name
                )
                seen[label].append(found)
