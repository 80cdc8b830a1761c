"""An hour without any worker: how long two processes need for what is due when they come back."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from benchmarks.harness.children import Child, ordered
from benchmarks.harness.report import Job, Table, median, spread
from benchmarks.harness.scratch import analyse, connect, pass_days, scratch
from benchmarks.two_sends import workload
from benchmarks.two_sends.engine import wave
from orchestrator.bootstrap import build_engine

_PROCESSES = 2
_HOUR = 3600.0
_STAGGER = "UPDATE timers SET due_at = due_at + (enrollment_id % 3600) * interval '1 second'"


def run(job: Job) -> list[Table]:
    count = 400 if job.quick else 3600
    taken: list[float] = []
    for round_ in range(1 if job.quick else 2):
        job.tell(f"catching up, round {round_ + 1}: making the backlog")
        with scratch(job.server) as url, ExitStack() as stack:
            engine = build_engine(workload.settings(url))
            stack.callback(engine.close)
            workload.publish(engine, Path(stack.enter_context(tempfile.TemporaryDirectory())))
            half = count // 2
            workload.load(engine, 0, half)
            wave(engine)  # their first emails: their timers come due while nobody works
            with connect(url) as connection:
                connection.execute(_STAGGER)
            workload.load(engine, half, count - half)  # what came in meanwhile: it waits in their inboxes
            pass_days(url, workload.WAIT_DAYS + 0.1)
            analyse(url)
            children = [
                stack.enter_context(Child("benchmarks.two_sends.engine", url, "{}"))
                for _ in range(_PROCESSES)
            ]
            job.tell(f"catching up, round {round_ + 1}")
            began = perf_counter()
            ordered(children, "wave")
            taken.append(perf_counter() - began)
    rate = count / median(taken)
    row = [f"{count:,}", spread(taken, 1), f"{rate:,.0f}", f"{rate * _HOUR:,.0f}"]
    return [
        Table(
            title="Catching up after an hour's outage, two processes",
            columns=["messages due", "seconds", "messages/s", "an hour makes good so many"],
            rows=[row],
            notes=[
                "Half of them are timers that came due one by one within the hour, half are events that came in."
            ],
        )
    ]
