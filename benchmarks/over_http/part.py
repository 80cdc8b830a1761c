"""Rate and processor time a message while the provider takes 5, 100 and 300 ms to answer; and the adapter alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness.children import Child
from benchmarks.harness.report import Job, Table, bar, median, spread
from benchmarks.over_http.provider import Provider, provider
from benchmarks.two_sends import processes, workload
from benchmarks.two_sends.contender import Contender, Run, measure

LATENCIES = (5, 100, 300)  # milliseconds
_FEWER = 2  # times fewer customers than in the sandbox, and still many times as many as there are threads
_POOL = 16  # threads of the adapter's own measure


def run(job: Job) -> list[Table]:
    runs: dict[int, list[Run]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)
    with provider() as fake:

        @contextmanager
        def opened(url: str, count: int) -> Iterator[Contender]:
            with processes.opened(
                "benchmarks.two_sends.engine", url, count, settings=fake.settings()
            ) as found:
                yield found

        for round_ in range(job.rounds):
            for latency in LATENCIES:
                job.tell(f"over HTTP, round {round_ + 1} of {job.rounds}: {latency} ms")
                fake.answer_after(latency)
                customers = max(16, job.customers // _FEWER)
                runs[latency].append(
                    measure("engine", opened, server=job.server, customers=customers, beside=fake.pid)
                )
            job.tell(f"over HTTP, round {round_ + 1} of {job.rounds}: the adapter alone")
            for name, cost in _costs(fake, count=200 if job.quick else 1000).items():
                costs[name].append(cost)
    return [_rates(runs, costs), _adapter(costs)]


def _costs(fake: Provider, *, count: int) -> dict[str, float]:
    fake.answer_after(0)
    with Child("benchmarks.over_http.adapter", json.dumps(fake.settings())) as child:
        found = {}
        for what in ("bare", "adapter"):
            for threads in (1, _POOL):
                child.order(what, threads=threads, count=count)
                found[f"{what}, {threads} thread{'s' if threads > 1 else ''}"] = float(child.answer()["ms"])
    return found


def _rates(runs: dict[int, list[Run]], costs: dict[str, list[float]]) -> Table:
    adapter = median(costs[f"adapter, {_POOL} threads"])
    fastest = median(found.rate for found in runs[min(runs)])
    threads = workload.settings("postgresql://127.0.0.1/none").send_threads
    rows = []
    for latency, found in runs.items():
        rate = median(one.rate for one in found)
        possible = min(fastest, 1e3 * threads / latency)
        cpu = [1e3 * one.worker_cpu / one.messages for one in found]
        rows.append(
            [
                f"{latency} ms",
                spread([one.rate for one in found]),
                f"{possible:,.0f}",
                f"{rate / possible:.2f}",
                spread(cpu, 2),
                f"{median(cpu) - adapter:.2f}",
                spread([1e3 * (one.database_cpu or 0.0) / one.messages for one in found], 2),
                spread([1e3 * one.beside_cpu / one.messages for one in found], 2),
            ]
        )
    return Table(
        title="Over HTTP, one process: messages a second by the provider's latency",
        columns=[
            "latency", "messages/s", "possible", "÷ possible", "worker CPU ms/message", "beyond the adapter's own send",
            "PostgreSQL CPU ms/message", "provider's CPU ms/message",
        ],
        rows=rows,
        notes=[
            f"*Possible* is the rate at {min(runs)} ms, at most {threads} threads ÷ latency.",
            "The provider is a process on the same machine and takes its share of the processors.",
        ],
        bars=[bar(f"{latency} ms", [one.rate for one in found]) for latency, found in runs.items()],
        unit="messages a second",
    )  # fmt: skip


def _adapter(costs: dict[str, list[float]]) -> Table:
    return Table(
        title="The adapter's own send beside bare HTTP",
        columns=["what", "CPU ms/send"],
        rows=[[name, spread(values, 2)] for name, values in costs.items()],
        notes=[
            "Processor time of the sending process; bare HTTP is one kept connection a thread and a request made once."
        ],
    )
