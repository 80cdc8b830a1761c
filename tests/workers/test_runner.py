"""The runner without a broker: threads that work when nudged, every second anyway, and one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from orchestrator.errors import Unavailable
from orchestrator.queue import in_process as runner_module
from orchestrator.queue.in_process import Runner
from orchestrator.queue.nudge import LocalWake
from orchestrator.records.drain import Drained
from orchestrator.store.sql.connections import make_engine
from tests.support.installation import eventually


class Counting:
    """Work that is counted and can be told to fail or to take its time; the database is real."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.nudge = LocalWake()
        self.done = {"advance": 0, "deliver": 0, "sweep": 0, "scan": 0}
        self.batches = 0  # of walks that are due
        self.soon = 0  # times that more may leave in a moment
        self.failing: Exception | None = None
        self.holding = threading.Event()
        self.holding.set()

    def advance(self) -> Drained:
        self._count("advance")
        self.holding.wait(20)
        if not self.batches:
            return Drained()
        self.batches -= 1
        return Drained(customers=1, more=True)

    def deliver(self) -> Drained:
        self._count("deliver")
        if not self.soon:
            return Drained()
        self.soon -= 1
        return Drained(again_in=0.01)

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
        eventually(lambda: work.done["sweep"] >= 2 and work.done["deliver"] >= 2)
    assert work.done["scan"] == 1


def test_a_nudge_is_heard_before_the_next_sweep(work: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 3600.0)
    with running(work):
        eventually(lambda: work.done["advance"] >= 1)
        before = work.done["advance"]
        work.batches = 3
        work.nudge()
        eventually(lambda: work.batches == 0)
        assert work.done["advance"] >= before + 3
        assert work.done["sweep"] == 1


def test_what_may_leave_in_a_moment_does_not_wait_for_the_next_sweep(
    work: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate by the second would else be halved: its tokens come free between two sweeps."""
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 3600.0)
    work.soon = 5
    with running(work):
        eventually(lambda: work.done["deliver"] == 6)
        assert work.done["sweep"] == 1


def test_stopping_lets_the_batch_under_way_finish(work: Counting) -> None:
    with running(work) as runner:
        work.holding.clear()
        before = work.done["advance"]
        work.nudge()
        eventually(lambda: work.done["advance"] > before)
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
        eventually(lambda: all(work.done[what] > before[what] for what in ("advance", "deliver", "sweep")))
        work.failing = None
        work.batches = 2
        work.nudge()
        eventually(lambda: work.batches == 0)


def test_of_two_runners_over_one_database_one_works_and_the_other_takes_over(
    work: Counting, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "SWEEP_EVERY", 0.05)
    other_engine = make_engine(database_url)
    other = Counting(other_engine)
    with Runner(other) as second:
        with running_first(work, second):
            other.batches = 1
            other.nudge()
            assert not second.working
            assert other.batches == 1
        eventually(lambda: second.working and other.batches == 0, about="the second takes over")
    other_engine.dispose()


@contextmanager
def running_first(work: Counting, second: Runner) -> Iterator[None]:
    """The second runner began first: it gives way when its lock is lost, then stands by."""
    eventually(lambda: second.working)
    with Runner(work) as first:
        second._seat.leave()
        eventually(lambda: first.working and not second.working, about="the seat changes hands")
        yield


def test_a_runner_is_started_once(work: Counting) -> None:
    with running(work) as runner, pytest.raises(RuntimeError, match="started before"):
        runner.start()
