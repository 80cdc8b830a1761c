"""The runner without a broker: threads that work when nudged, every second anyway, and one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import Engine, text

from orchestrator.errors import Unavailable
from orchestrator.queue import in_process as runner_module
from orchestrator.queue.in_process import Runner
from orchestrator.queue.nudge import LocalWake
from orchestrator.records.drain import Drained
from orchestrator.store.coordination.runner_seat import SEAT, RunnerSeat
from orchestrator.store.sql.connections import make_engine
from tests.support.installation import eventually

pytestmark = pytest.mark.contract


class Counting:
    """Work that is counted and can be told to fail or to take its time; the database is real."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.nudge = LocalWake()
        self.done = {"work": 0, "sweep": 0, "scan": 0}
        self.batches = 0  # of walks that are due
        self.soon = 0  # times that more may leave in a moment
        self.failing: Exception | None = None
        self.holding = threading.Event()
        self.holding.set()

    def seat(self) -> RunnerSeat:
        return RunnerSeat(self.database)

    def work(self) -> Drained:
        self._count("work")
        self.holding.wait(20)
        if self.soon:
            self.soon -= 1
            return Drained(again_in=0.01)
        if not self.batches:
            return Drained()
        self.batches -= 1
        return Drained(customers=1, more=True)

    def sweep(self) -> int:
        self._count("sweep")
        return 0

    def scan(self) -> int:
        self._count("scan")
        return 0

    def _count(self, what: str) -> None:
        self.done[what] += 1
        if self.failing is not None:
            raise self.failing


@pytest.fixture
def work(engine: Engine) -> Counting:
    return Counting(engine)


@contextmanager
def running(work: Counting) -> Iterator[Runner]:
    with Runner(work) as runner:
        eventually(lambda: runner.working and work.done["sweep"], about="the runner works")
        yield runner


def test_everything_is_looked_after_without_any_nudge(work: Counting) -> None:
    with running(work):
        eventually(lambda: all(times >= 1 for times in work.done.values()))
        eventually(lambda: work.done["sweep"] >= 2 and work.done["work"] >= 2)
    assert work.done["scan"] == 1


def test_a_nudge_is_heard_before_the_next_sweep(work: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 3600.0)
    with running(work):
        eventually(lambda: work.done["work"] >= 1)
        before = work.done["work"]
        work.batches = 3
        work.nudge()
        eventually(lambda: work.batches == 0)
        assert work.done["work"] >= before + 3
        assert work.done["sweep"] == 1


def test_what_may_leave_in_a_moment_does_not_wait_for_the_next_sweep(
    work: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate by the second would else be halved: its tokens come free between two sweeps."""
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 3600.0)
    work.soon = 5
    with running(work):
        eventually(lambda: work.done["work"] == 6)
        assert work.done["sweep"] == 1


def test_stopping_lets_the_batch_under_way_finish(work: Counting) -> None:
    with running(work) as runner:
        work.holding.clear()
        before = work.done["work"]
        work.nudge()
        eventually(lambda: work.done["work"] > before)
        assert not runner.stop(seconds=0.2)
        work.holding.set()
        assert runner.stop()


@pytest.mark.parametrize("error", [Unavailable("away"), ValueError("a defect")])
def test_a_failure_costs_a_round_and_never_the_runner(
    work: Counting, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 0.05)
    with running(work):
        work.failing = error
        before = dict(work.done)
        eventually(lambda: all(work.done[what] > before[what] for what in ("work", "sweep")))
        work.failing = None
        work.batches = 2
        work.nudge()
        eventually(lambda: work.batches == 0)


@contextmanager
def counting_elsewhere(database_url: str) -> Iterator[Counting]:
    """The same work in another process: with connections of its own."""
    engine = make_engine(database_url)
    yield Counting(engine)
    engine.dispose()


def test_of_two_runners_over_one_database_one_works_and_the_other_takes_over(
    work: Counting, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 0.05)
    with counting_elsewhere(database_url) as other, ExitStack() as started:
        first = started.enter_context(running(work))
        second = Runner(other)
        asked = looks_for_the_seat(second, monkeypatch)
        with second:
            other.batches = 1
            other.nudge()
            eventually(lambda: len(asked) >= 3, about="the second asks again and again")
            assert first.working
            assert not second.working
            assert other.batches == 1
            started.close()  # the first stops, and leaves its seat for good
            eventually(lambda: second.working and other.batches == 0, about="the second takes over")


def looks_for_the_seat(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What this runner was answered each time it asked whether the seat is its own."""
    answers: list[bool] = []
    held = runner._seat.held

    def asked() -> bool:
        answers.append(held())
        return answers[-1]

    monkeypatch.setattr(runner._seat, "held", asked)
    return answers


def test_a_runner_whose_connection_is_cut_stands_by_until_the_seat_is_free_again(
    work: Counting, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 0.05)
    elsewhere = make_engine(database_url)
    with running(work) as runner, elsewhere.connect() as connection:
        wants_the_seat = threading.Thread(
            target=connection.execute, args=(text("SELECT pg_advisory_lock(:seat)"), {"seat": SEAT})
        )
        wants_the_seat.start()  # first in the queue: it has the seat the moment the runner's session ends
        eventually(lambda: sessions(elsewhere, granted=False), about="somebody waits for the seat")
        cut(elsewhere)
        wants_the_seat.join(30)
        eventually(lambda: not runner.working, about="the runner stands by")
        connection.invalidate()
        eventually(lambda: runner.working, about="it takes the free seat")
    elsewhere.dispose()


def sessions(database: Engine, *, granted: bool) -> list[int]:
    """The processes of PostgreSQL that hold the seat of this database, or wait for it."""
    asked = text(
        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted = :granted"
    )
    with database.connect() as connection:
        return list(connection.execute(asked, {"granted": granted}).scalars())


def cut(database: Engine) -> None:
    """End the session that holds the seat, as a failover or an administrator would."""
    (holder,) = sessions(database, granted=True)
    with database.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:holder)"), {"holder": holder})


def test_a_runner_is_started_once(work: Counting) -> None:
    with running(work) as runner, pytest.raises(RuntimeError, match="started before"):
        runner.start()
