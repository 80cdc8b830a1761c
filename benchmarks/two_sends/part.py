"""Four ways to send two emails a customer, run in turn so that whatever slows the machine slows them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.harness.report import Job, Table, bar, median, spread
from benchmarks.harness.scratch import Statistics
from benchmarks.two_sends import by_hand, durable
from benchmarks.two_sends.contender import Opened, Run, measure
from benchmarks.two_sends.processes import ENGINE, FLOOR

ENGINE_NAME, FLOOR_NAME, BY_HAND_NAME, DURABLE_NAME = "engine", "floor", "by hand (Celery)", "durable (DBOS)"
_ABOUT = (
    "Statistics: *absent* is a fresh database, *stale* one analysed while it was empty, *fresh* one with as many"
    " finished walks, analysed. The ratios are taken within each round; that of the processor time (workers and the"
    " database together) holds on a machine that does other things as well."
)
_SLOW = 3  # the others get so many times fewer customers: their rates are steady early


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the table."""

    name: str
    opened: Opened
    processes: int = 1
    statistics: Statistics = "absent"
    fewer: int = 1
    missing: Callable[[], str | None] = lambda: None

    @property
    def label(self) -> str:
        return f"{self.name}, {self.processes} proc., {self.statistics}"


def entries(job: Job) -> list[Entry]:
    some: tuple[Statistics, ...] = ("absent", "fresh") if job.quick else ("absent", "stale", "fresh")
    both = (1,) if job.quick else (1, 2)
    found = [Entry(name=FLOOR_NAME, opened=FLOOR, statistics=one) for one in some]
    found += [Entry(name=ENGINE_NAME, opened=ENGINE, statistics=one) for one in some]
    found += [
        Entry(name=ENGINE_NAME, opened=ENGINE, processes=2, statistics=one)
        for one in (("fresh",) if job.quick else ("absent", "fresh"))
    ]  # type: ignore[arg-type]
    for processes in both:
        found.append(
            Entry(
                name=BY_HAND_NAME,
                opened=by_hand.opened,
                processes=processes,
                fewer=_SLOW,
                missing=by_hand.missing,
            )
        )
        found.append(
            Entry(
                name=DURABLE_NAME,
                opened=durable.opened,
                processes=processes,
                fewer=_SLOW,
                missing=durable.missing,
            )
        )
    return found


def run(job: Job) -> list[Table]:
    taking_part, skipped = [], {}
    for entry in entries(job):
        why = entry.missing()
        if why is None:
            taking_part.append(entry)
        else:
            skipped[entry.name] = why
    runs: dict[Entry, list[Run]] = defaultdict(list)
    for round_ in range(job.rounds):
        for entry in taking_part:
            job.tell(f"two sends, round {round_ + 1} of {job.rounds}: {entry.label}")
            runs[entry].append(
                measure(
                    entry.name, entry.opened, server=job.server, customers=max(20, job.customers // entry.fewer),
                    processes=entry.processes, statistics=entry.statistics,
                )
            )  # fmt: skip
    return [_speed(runs, skipped), _rows(runs)]


def _speed(runs: Mapping[Entry, list[Run]], skipped: Mapping[str, str]) -> Table:
    floors = {entry.statistics: found for entry, found in runs.items() if entry.name == FLOOR_NAME}
    rows = []
    for entry, found in runs.items():
        floor = floors.get(entry.statistics, [])
        pairs = list(zip(found, floor, strict=False))
        rows.append(
            [
                entry.name,
                str(entry.processes),
                entry.statistics,
                spread([run.rate for run in found]),
                spread([1e3 * run.worker_cpu / run.messages for run in found], 2),
                _database(found),
                spread([run.rate / other.rate for run, other in pairs], 2) if pairs else "-",
                spread([_cpu(other) / _cpu(run) for run, other in pairs], 2) if pairs else "-",
            ]
        )
    notes = [
        _ABOUT,
        *(f"Left out: {name}: {why}." for name, why in skipped.items()),
        *_shares(runs),
    ]
    return Table(
        title="Two sends: messages a second",
        columns=[
            "contender", "processes", "statistics", "messages/s", "worker CPU ms/message", "PostgreSQL CPU ms/message",
            "rate ÷ floor", "floor's CPU ÷ its CPU",
        ],
        rows=rows,
        notes=notes,
        bars=[bar(entry.label, [run.rate for run in found]) for entry, found in runs.items()],
        unit="messages a second",
    )  # fmt: skip


def _shares(runs: Mapping[Entry, list[Run]]) -> list[str]:
    """Two processes beside one, and the engine beside tasks by hand."""

    def rates(name: str, processes: int, statistics: Statistics) -> list[Run]:
        return next(
            (
                found
                for entry, found in runs.items()
                if (entry.name, entry.processes, entry.statistics) == (name, processes, statistics)
            ),
            [],
        )

    told = []
    for statistics in ("absent", "fresh"):
        one, two = rates(ENGINE_NAME, 1, statistics), rates(ENGINE_NAME, 2, statistics)  # type: ignore[arg-type]
        if one and two:
            rate = median(run.rate for run in two) / median(run.rate for run in one)
            cpu = median(_cpu(run) for run in two) / median(_cpu(run) for run in one)
            told.append(
                f"Two processes of the engine beside one ({statistics}): {rate:.2f} times the rate, {cpu:.2f} times the"
                " processor time a message."
            )
    for processes in (1, 2):
        ours, theirs = rates(ENGINE_NAME, processes, "absent"), rates(BY_HAND_NAME, processes, "absent")
        if ours and theirs:
            ratio = median(run.rate for run in ours) / median(run.rate for run in theirs)
            told.append(
                f"The engine beside tasks by hand, {processes} process(es) each: {ratio:.1f} times the rate."
            )
    return told


def _rows(runs: Mapping[Entry, list[Run]]) -> Table:
    """Rows a message, engine beside floor: they must be the same, or the floor does less."""
    engine = next(found[-1] for entry, found in runs.items() if entry.name == ENGINE_NAME)
    floor = next(found[-1] for entry, found in runs.items() if entry.name == FLOOR_NAME)
    tables = [name for name in engine.rows if engine.rows[name] or floor.rows[name]]
    differ = [name for name in tables if engine.rows[name] != floor.rows[name]]
    return Table(
        title="Rows left behind by one run",
        columns=["table", "engine", "floor"],
        rows=[[name, f"{engine.rows[name]:,}", f"{floor.rows[name]:,}"] for name in tables],
        notes=[f"DIFFERENT: {', '.join(differ)}" if differ else "The same in every table."],
    )


def _cpu(run: Run) -> float:
    return (run.worker_cpu + (run.database_cpu or 0.0)) / run.messages


def _database(found: list[Run]) -> str:
    known = [1e3 * run.database_cpu / run.messages for run in found if run.database_cpu is not None]
    return spread(known, 2) if known else "-"
