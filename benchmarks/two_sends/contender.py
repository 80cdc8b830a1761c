"""What is asked of whoever takes part, and one measured run of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from benchmarks.harness.cpu_time import PostgresCpu, family, of_process
from benchmarks.harness.scratch import Statistics, analyse, connect, scratch
from benchmarks.two_sends.workload import MESSAGES_EACH
from orchestrator.store.sql.tables import metadata

WARMING_UP = 32  # customers before the clock starts: imports, templates, plans of prepared statements
NOT_COMPARED = {"batches_in_hand": "a row a process, not a message"}


class Contender(Protocol):
    """Processes at work on one database."""

    def pids(self) -> Sequence[int]:
        """The processes that do the work, children left out."""
        ...

    def load(self, first: int, count: int) -> None:
        """Make these customers ready to be worked off; not measured."""
        ...

    def run(self) -> float:
        """Let everything that is ready be worked off; the seconds it took."""
        ...


Opened = Callable[[str, int], AbstractContextManager[Contender]]
"""Prepares a database and starts so many processes on it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measured run."""

    name: str
    processes: int
    statistics: Statistics
    messages: int
    seconds: float
    worker_cpu: float
    database_cpu: float | None
    beside_cpu: float
    rows: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


def measure(
    name: str,
    opened: Opened,
    *,
    server: str,
    customers: int,
    processes: int = 1,
    statistics: Statistics = "absent",
    beside: int | None = None,
) -> Run:
    """One run in a database of its own. ``fresh`` statistics are those of tables that hold as many walks again.

    ``beside`` is a process whose processor time is told too: a provider's.
    """
    with scratch(server, analysed_empty=statistics == "stale") as url, opened(url, processes) as contender:
        past = customers if statistics == "fresh" else WARMING_UP
        contender.load(0, past)
        contender.run()
        contender.load(past, customers)
        if statistics == "fresh":
            analyse(url)
        before = row_counts(url)
        with PostgresCpu(url) as database:
            used, used_beside = cpu_of(contender), of_process(beside or 0)
            seconds = contender.run()
            worker_cpu, beside_cpu = cpu_of(contender) - used, of_process(beside or 0) - used_beside
        after = row_counts(url)
        return Run(
            name=name,
            processes=processes,
            statistics=statistics,
            messages=customers * MESSAGES_EACH,
            seconds=seconds,
            worker_cpu=worker_cpu,
            database_cpu=database.seconds,
            beside_cpu=beside_cpu,
            rows={table: after[table] - before[table] for table in after},
        )


def cpu_of(contender: Contender) -> float:
    return sum(of_process(pid) for parent in contender.pids() for pid in family(parent))


def row_counts(url: str) -> dict[str, int]:
    """How many rows each of the engine's tables has."""
    with connect(url) as connection:
        tables = [table for table in metadata.tables if table not in NOT_COMPARED]
        counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
        return {str(row[0]): int(row[1]) for row in connection.execute(counts)}
