"""A batch that fails is taken apart until it is known whose fault it is: nobody's, one customer's, or this build's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from orchestrator.core.customer_state import CustomerState
from orchestrator.errors import Contended, StoreError, TimedOut, Unavailable
from orchestrator.service import claiming
from orchestrator.service.delivery import turn
from orchestrator.service.enrollment import crash_recovery
from orchestrator.store.batch import batches
from tests.support.engine import Scene, one_message

Apply = Callable[[CustomerState, Any], None]


@pytest.fixture
def crowd(scene: Scene) -> Scene:
    """Ten people whose wait is just over."""
    scene.publish_playbooks(one_message("mail"))
    for key in scene.people(10):
        scene.start(key, "mail")
    scene.drain()
    scene.skip(days=2, minutes=1)
    return scene


def failing(monkeypatch: pytest.MonkeyPatch, keys: set[str], error: Exception) -> None:
    """The fold raises for these customers."""
    real: Apply = turn.apply_timers

    def apply(customer: CustomerState, batch: Any) -> None:
        real(customer, batch)
        if customer.key in keys:
            raise error

    monkeypatch.setattr(turn, "apply_timers", apply)


def saving(monkeypatch: pytest.MonkeyPatch, fails: Callable[[list[str]], Exception | None]) -> None:
    """Saving these customers together raises what ``fails`` says."""
    real = batches.save

    def save(connection: Any, customers: Any, *rest: Any) -> None:
        error = fails([one.key for one in customers])
        if error is not None:
            raise error
        real(connection, customers, *rest)

    monkeypatch.setattr(batches, "save", save)


def parked(scene: Scene) -> list[str]:
    return sorted(one.customer_key for one in scene.engine.reports.parked())


def ended(scene: Scene) -> int:
    count: int = scene.value("SELECT count(*) FROM enrollments WHERE ended_at IS NOT NULL")
    return count


def in_hand(scene: Scene) -> int:
    count: int = scene.value("SELECT coalesce(sum(cardinality(customer_ids)), 0) FROM batches_in_hand")
    return count


def test_one_whose_fold_fails_costs_the_batch_nothing(crowd: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, {"p004"}, ZeroDivisionError("x"))
    with capture_logs() as told:
        crowd.engine.advance()
    assert "batch.failed" not in [line["event"] for line in told], (
        "the others are saved in the same transaction"
    )
    assert parked(crowd) == ["p004"]
    assert ended(crowd) == 9
    assert in_hand(crowd) == 0


def test_who_cannot_be_saved_is_found_by_halves(crowd: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def fails(keys: list[str]) -> Exception | None:
        tried.append(len(keys))
        return StoreError("x") if "p006" in keys else None

    saving(monkeypatch, fails)
    crowd.engine.advance()
    assert parked(crowd) == ["p006"]
    assert ended(crowd) == 9
    assert len(tried) < 9, "not one by one"


def test_what_fails_for_several_and_not_alone_parks_nobody(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch too large for the time a statement may take."""
    saving(monkeypatch, lambda keys: TimedOut("x") if len(keys) > 3 else None)
    crowd.engine.advance()
    assert parked(crowd) == []
    assert ended(crowd) == 10


def test_a_statement_that_takes_too_long_for_one_alone_parks_them(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving(monkeypatch, lambda keys: TimedOut("x") if "p000" in keys else None)
    crowd.engine.advance()
    assert parked(crowd) == ["p000"]
    assert ended(crowd) == 9


def test_contention_passes_one_over_and_parks_nobody(crowd: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    saving(monkeypatch, lambda keys: Contended("x") if "p003" in keys else None)
    crowd.engine.advance()
    assert parked(crowd) == []
    assert ended(crowd) == 9
    monkeypatch.undo()
    crowd.engine.advance()
    assert ended(crowd) == 10


@pytest.mark.parametrize("writes_again", [True, False])
def test_an_outage_twice_with_the_same_customers_in_hand_is_no_death(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch, writes_again: bool
) -> None:
    """``writes_again`` False: nothing at all could be written until the next sweep."""

    def down(keys: list[str]) -> Exception:
        if not writes_again:
            monkeypatch.setattr(batches.batches_in_hand, "done", lambda _: _raise(Unavailable("down")))
        return Unavailable("PostgreSQL restarts")

    for _ in range(3):
        with monkeypatch.context() as outage:
            saving(outage, down)
            with suppress(Unavailable):
                crowd.engine.sweep()  # which takes up whom dead processes left
            with ThreadPoolExecutor(1) as thread, pytest.raises(Unavailable):  # one of several, then idle
                thread.submit(crowd.engine.work).result()
        monkeypatch.undo()
        crowd.skip(seconds=crash_recovery.UNHEARD_FOR.total_seconds() + 1)
    crowd.engine.sweep()
    crowd.drain()
    assert parked(crowd) == []
    assert ended(crowd) == 10


def _raise(error: Exception) -> None:
    raise error


def test_what_fails_for_many_is_this_builds_fault(crowd: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is parked, nobody more is taken, and a batch that is tried later and goes well ends it."""
    time = [0.0]
    crowd.engine.services.claiming.now = lambda: time[0]
    failing(monkeypatch, {f"p00{number}" for number in range(6)}, ZeroDivisionError("x"))
    crowd.engine.advance()
    assert parked(crowd) == []
    assert crowd.engine.services.claiming.fault == "ZeroDivisionError for 6 of 10 customers"
    assert ended(crowd) == 4, "whoever did not fail is saved"
    monkeypatch.undo()
    assert crowd.engine.drain().customers == 0
    time[0] += claiming.FIRST_TRY
    crowd.drain()
    assert crowd.engine.services.claiming.fault is None
    assert ended(crowd) == 10


def test_a_few_in_many_small_batches_are_this_builds_fault_too(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, {f"p00{number}" for number in range(10)}, ZeroDivisionError("x"))
    for _ in range(10):
        crowd.engine.advance(limit=1)
    assert claiming.AT_LEAST - 1 <= len(parked(crowd)) < 10
    assert crowd.engine.services.claiming.fault is not None


def test_a_schema_that_does_not_fit_parks_nobody_and_is_found_again(crowd: Scene) -> None:
    time = [0.0]
    crowd.engine.services.claiming.now = lambda: time[0]
    crowd.execute("ALTER TABLE journal RENAME COLUMN visit TO visit_of_a_later_release")
    crowd.engine.advance()
    assert parked(crowd) == []
    assert "schema" in str(crowd.engine.services.claiming.fault)
    time[0] += claiming.FIRST_TRY
    crowd.engine.advance()
    assert crowd.engine.advance().customers == 0, "it was tried once, in vain"
    crowd.execute("ALTER TABLE journal RENAME COLUMN visit_of_a_later_release TO visit")
    time[0] += claiming.LONGEST_TRY
    crowd.drain()
    assert crowd.engine.services.claiming.fault is None
    assert ended(crowd) == 10


def test_a_process_that_takes_nobody_still_files_what_providers_said(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.start("anna", "mail")
    stopped = scene.engine.services.claiming
    scene.outbox.channels["email"].before = lambda _: stopped.stop("KeyError for 9 of 10 customers")
    scene.drain()
    assert scene.messages("anna") == [("say", "email", "sent")]


def test_a_connection_cut_in_the_middle_of_a_batch_parks_nobody(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batches.save

    def cut(connection: Any, *rest: Any) -> None:
        monkeypatch.undo()
        with suppress(DBAPIError):
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        real(connection, *rest)

    monkeypatch.setattr(batches, "save", cut)
    with pytest.raises(Unavailable):
        crowd.engine.advance()
    assert (parked(crowd), in_hand(crowd), ended(crowd)) == ([], 0, 0)
    crowd.drain()
    assert ended(crowd) == 10


def test_a_pool_without_a_free_connection_parks_nobody(crowd: Scene) -> None:
    pool: Any = crowd.engine.database.pool
    pool._timeout = 0.05
    with ExitStack() as busy:
        for _ in range(pool.size() + pool._max_overflow - 1):
            busy.enter_context(crowd.engine.database.connect())
        with pytest.raises(Unavailable):
            crowd.engine.advance()
    assert parked(crowd) == []
    crowd.drain()
    assert ended(crowd) == 10
