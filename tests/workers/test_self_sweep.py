"""A worker that hears nothing from its broker looks for work by itself, and not otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from orchestrator.errors import Unavailable
from workers import self_sweep
from workers.self_sweep import SelfSweep


class Recorded:
    """An engine that says when it was asked for each kind of work."""

    def __init__(self) -> None:
        self.swept = threading.Event()
        self.scanned = threading.Event()
        self.drained = threading.Event()
        self.asked = 0
        self.fails_once: Exception | None = None

    def sweep(self) -> int:
        self.asked += 1
        failure, self.fails_once = self.fails_once, None
        if failure is not None:
            raise failure
        self.swept.set()
        return 0

    def scan(self) -> int:
        self.scanned.set()
        return 0

    def drain(self, *, seconds: float | None = None) -> None:
        self.drained.set()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.setattr(self_sweep, "SWEEP_EVERY", 0.01)
    return Recorded()


@pytest.fixture
def sweeping(engine: Recorded) -> Iterator[SelfSweep]:
    made = SelfSweep(lambda: engine, slice_seconds=1)
    yield made
    assert made.stop(30)


def test_silence_is_worked_through(
    engine: Recorded, sweeping: SelfSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_sweep, "SILENT_FOR", 0.0)
    sweeping.start()
    for kind in (engine.swept, engine.scanned, engine.drained):
        assert kind.wait(30)


@pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("anything")])
def test_a_failure_of_the_care_costs_neither_the_work_nor_the_next_round(
    engine: Recorded, sweeping: SelfSweep, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_sweep, "SILENT_FOR", 0.0)
    engine.fails_once = failure
    sweeping.start()
    assert engine.drained.wait(30)
    assert engine.swept.wait(30)
    assert engine.asked >= 2


def test_a_worker_that_is_given_tasks_leaves_the_sweep_to_them(
    engine: Recorded, sweeping: SelfSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    def hears_something() -> bool:
        looked.set()
        return False

    monkeypatch.setattr(self_sweep, "silent", hears_something)
    sweeping.start()
    assert looked.wait(30)
    assert sweeping.stop(30)
    assert engine.asked == 0


def test_a_task_in_any_process_of_the_worker_breaks_the_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_sweep, "monotonic", lambda: 100.0)
    self_sweep.heard()
    monkeypatch.setattr(self_sweep, "monotonic", lambda: 100.0 + self_sweep.SILENT_FOR / 2)
    assert not self_sweep.silent()
    monkeypatch.setattr(self_sweep, "monotonic", lambda: 100.0 + self_sweep.SILENT_FOR)
    assert self_sweep.silent()
