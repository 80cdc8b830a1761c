"""A start beside a bare insert, a click until the next hand-over, events beside plain inserts."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from benchmarks.harness.children import Child
from benchmarks.harness.report import Job, Table, bar, spread
from benchmarks.harness.scratch import analyse, connect, scratch
from benchmarks.two_sends import workload
from benchmarks.two_sends.engine import wave
from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine
from orchestrator.ids import MESSAGE, public_id
from orchestrator.records.intake import Identify, Track

_CLICKED = (
    "then: {clicked: gate, opened_no_click: gate, no_response: gate}",
    "then: {clicked: gate, opened_no_click: done, no_response: done}",
)
_PAUSE = 0.02  # seconds between two clicks


def run(job: Job) -> list[Table]:
    starts: list[float] = []
    inserts: list[float] = []
    rows: list[float] = []
    events: list[float] = []
    plain: list[float] = []
    for round_ in range(job.rounds):
        job.tell(f"calls, round {round_ + 1} of {job.rounds}")
        with scratch(job.server) as url, ExitStack() as stack:
            engine = _engine(url, stack)
            count = 100 if job.quick else 300
            keys = _known(engine, count)
            starts.append(
                _each(lambda key, engine=engine: engine.start_playbook(key, workload.PLAYBOOK), keys)
            )
            one, all_rows = _inserts(url, count)
            inserts.append(one)
            rows.append(all_rows)
            ours, theirs = _ingestion(engine, url, 2_000 if job.quick else 10_000)
            events.append(ours)
            plain.append(theirs)
    return [
        _start_table(starts, inserts, rows),
        _clicks(job),
        Table(
            title="Taking in events, 500 a call",
            columns=["what", "events/s", "÷ plain inserts"],
            rows=[
                ["track", spread(events), spread([a / b for a, b in zip(events, plain, strict=True)], 2)],
                ["plain inserts of the same rows (inbox, seen_sources)", spread(plain), "1"],
            ],
        ),
    ]


def _engine(url: str, stack: ExitStack) -> Engine:
    engine = build_engine(workload.settings(url))
    stack.callback(engine.close)
    workload.publish(engine, Path(stack.enter_context(tempfile.TemporaryDirectory())))
    return engine


def _known(engine: Engine, count: int) -> list[str]:
    keys = [f"s{number:06}" for number in range(count)]
    engine.identify([Identify(key=key, traits=workload.traits(key)) for key in keys])
    wave(engine)
    return keys


def _each(call: Callable[[str], object], keys: Sequence[str]) -> float:
    """Milliseconds a call, the middle of them."""
    taken = []
    for key in keys:
        began = perf_counter()
        call(key)
        taken.append(perf_counter() - began)
    return 1e3 * statistics.median(taken)


def _inserts(url: str, count: int) -> tuple[float, float]:
    """Milliseconds of a transaction that inserts one row, and of one that inserts what a start leaves behind."""
    with connect(url, autocommit=False) as connection:
        connection.execute("CREATE TABLE bare (LIKE enrollments INCLUDING ALL)")
        template = "INSERT INTO bare SELECT {} FROM enrollments ORDER BY id LIMIT 1"
        columns = [row[0] for row in connection.execute(_COLUMNS)]
        chosen = ", ".join("%s AS id" if name == "id" else name for name in columns)
        connection.commit()

        def one(number: str) -> None:
            connection.execute(template.format(chosen), [int(number)])
            connection.commit()

        single = _each(one, [str(number) for number in range(1, count + 1)])
        for table in _START_TABLES:
            connection.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING DEFAULTS)")
        connection.commit()

        def all_rows(_: str) -> None:
            with connection.pipeline():
                for table in _START_TABLES:
                    connection.execute(
                        f"INSERT INTO bare_{table} SELECT * FROM {table} WHERE customer_id ="
                        " (SELECT customer_id FROM enrollments LIMIT 1)"
                    )
            connection.commit()

        return single, _each(all_rows, [""] * count)


_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = 'enrollments'::regclass AND attnum > 0 AND NOT attisdropped"
    " ORDER BY attnum"
)
_START_TABLES = ("enrollments", "timers", "journal", "messages", "verdicts", "dispatch")


def _start_table(starts: list[float], inserts: list[float], rows: list[float]) -> Table:
    return Table(
        title="Starting a playbook for one customer",
        columns=["what", "ms a call", "start ÷ this"],
        rows=[
            ["start_playbook", spread(starts, 2), "1"],
            ["one inserted row, committed", spread(inserts, 2), _ratio(starts, inserts)],
            [
                "the rows that a start leaves behind, one statement a table in a pipeline, committed",
                spread(rows, 2),
                _ratio(starts, rows),
            ],
        ],
    )


def _ratio(ours: list[float], theirs: list[float]) -> str:
    return spread([a / b for a, b in zip(ours, theirs, strict=True)], 2)


def _ingestion(engine: Engine, url: str, count: int) -> tuple[float, float]:
    """Events a second by ``track``, and by one INSERT ... SELECT a table and call of the rows it left."""
    calls = [range(first, first + 500) for first in range(0, count, 500)]
    began = perf_counter()
    for numbers in calls:
        engine.track(
            [Track(key=f"e{number:06}", event=workload.EVENT, properties={"seats": 5}) for number in numbers]
        )
    ours = perf_counter() - began
    with connect(url, autocommit=False) as connection:
        ids = [row[0] for row in connection.execute("SELECT customer_id FROM inbox ORDER BY id")]
        for table in ("inbox", "seen_sources"):
            connection.execute(f"CREATE TABLE plain_{table} (LIKE {table} INCLUDING ALL)")
        connection.commit()
        began = perf_counter()
        for first in range(0, len(ids), 500):
            for table in ("inbox", "seen_sources"):
                connection.execute(
                    f"INSERT INTO plain_{table} SELECT * FROM {table} WHERE customer_id = ANY(%s)",
                    [ids[first : first + 500]],
                )
            connection.commit()
        theirs = perf_counter() - began
    return count / ours, count / theirs


def _clicks(job: Job) -> Table:
    """A click until the next hand-over, idle and behind events of so many other customers."""
    waiting = 10_000 if job.quick else 100_000
    idle: list[float] = []
    behind: list[float] = []
    with scratch(job.server) as url, ExitStack() as stack:
        engine = build_engine(workload.settings(url))
        stack.callback(engine.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _publish_clicked(engine, folder)
        each = 40 if job.quick else 150
        workload.load(engine, 0, 2 * each)
        wave(engine)
        with connect(url) as connection:
            found = connection.execute(
                "SELECT c.key, m.customer_id, m.id FROM messages m JOIN customers c ON c.id = m.customer_id"
                " ORDER BY m.id"
            ).fetchall()
        asked = [(row[0], public_id(MESSAGE, row[1], row[2])) for row in found]
        analyse(url)
        child = stack.enter_context(Child("benchmarks.calls.clicks", url))
        child.order("start")
        child.answer()
        within = 15.0 if job.quick else 60.0
        job.tell("clicks, idle")
        child.order("clicks", messages=asked[:each], pause=_PAUSE, within=within)
        idle = child.answer()["seconds"]
        job.tell(f"clicks behind {waiting:,} others: loading")
        _backlog(url, waiting)
        job.tell(f"clicks behind {waiting:,} others")
        child.order("clicks", messages=asked[each:], pause=_PAUSE, within=within)
        behind = child.answer()["seconds"]
        with connect(url) as connection:
            left = connection.execute("SELECT count(*) FROM inbox").fetchone()
    rows = [_percentiles("idle", idle), _percentiles(f"behind {waiting:,} waiting customers", behind)]
    return Table(
        title="A click until the next message is handed over",
        columns=["when", "clicks", "p50 ms", "p90 ms", "p99 ms", "longest ms"],
        rows=rows,
        notes=[
            "One process takes in answers and works, as `orchestrator serve` does.",
            f"Of the others {left[0] if left else 0:,} were still waiting after the last click.",
        ],
        bars=[bar("idle", [1e3 * one for one in idle]), bar("behind others", [1e3 * one for one in behind])],
        unit="milliseconds: median, shortest, longest",
    )


def _publish_clicked(engine: Engine, folder: Path) -> None:
    """The playbook, with the second email for those who click alone."""
    for name, words in workload.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words.replace(*_CLICKED), encoding="utf-8")
    engine.publish(folder)


def _backlog(url: str, count: int) -> None:
    """Customers with the event that starts the playbook in their inbox, as many as that, in a few statements."""
    traits = json.dumps({"first_name": "Ada", "plan": "pro"})
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO customers (key, attributes, created_at, updated_at)"
            " SELECT 'w' || n, %s::jsonb, now(), now() FROM generate_series(1, %s) n",
            [traits, count],
        )
        connection.execute(
            "INSERT INTO contact_points (customer_id, channel, address, source, created_at)"
            " SELECT id, 'email', key || '@bench.example', 'identify', now() FROM customers WHERE key LIKE 'w%'"
        )
        connection.execute(
            "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
            " SELECT id, nextval('inbox_ids'), 'signal', now(), now(), %s::jsonb FROM customers WHERE key LIKE 'w%%'",
            [json.dumps({"name": workload.EVENT, "properties": {"seats": 5}})],
        )


def _percentiles(name: str, seconds: list[float]) -> list[str]:
    ordered = sorted(1e3 * one for one in seconds)

    def at(share: float) -> str:
        return f"{ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]:,.0f}"

    return [name, str(len(ordered)), at(0.5), at(0.9), at(0.99), f"{ordered[-1]:,.0f}"]
