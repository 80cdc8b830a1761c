"""The tasks, called as Celery calls them, over a real database and a real Redis."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from celery.beat import ScheduleEntry

from orchestrator.queue.wakes import QUEUES, TASKS, WAKES
from orchestrator.records.drain import Drained
from orchestrator.records.intake import Identify
from tests.support import two_mails
from tests.support.redis_server import RedisServer
from tests.support.services import free_port
from workers import process, tasks
from workers.app import app
from workers.beat import SCHEDULE, Waker

ALL = (tasks.advance, tasks.deliver, tasks.sweep, tasks.scan)


def published(server: RedisServer) -> list[str]:
    """The wake-ups that wait in all queues; taken out by looking."""
    found: list[str] = []
    with redis.Redis.from_url(server.url) as client:
        for queue in sorted(set(QUEUES.values())):
            while message := client.lpop(f"orchestrator:{queue}"):
                found.append(json.loads(message)["headers"]["task"].removeprefix("orchestrator."))  # type: ignore[arg-type]
    return sorted(found)


def settle(server: RedisServer, *, at_most: int = 30) -> None:
    """Play the workers: run what waits until nothing does."""
    for _ in range(at_most):
        waiting = published(server)
        if not waiting:
            return
        for wake in waiting:
            getattr(tasks, wake)()
        assert process.engine().delivery.settle(10)
    pytest.fail(f"still waking each other after {at_most} rounds")


def offer_to(customer: str, tmp_path: Path) -> None:
    engine = process.engine()
    engine.publish(two_mails.write(tmp_path / "playbooks"))
    engine.identify([Identify(key=customer, traits={"email": f"{customer}@example.test"})])
    engine.start_playbook(customer, "two_mails")
    assert engine.nudge.flush(5)  # type: ignore[attr-defined]


def statuses() -> list[str]:
    with process.engine().database.connect() as connection:
        return [row.status for row in connection.exec_driver_sql("SELECT status FROM messages")]


def test_a_start_nudges_and_the_tasks_wake_each_other_until_the_message_has_left(
    worker: RedisServer, tmp_path: Path
) -> None:
    offer_to("ada", tmp_path)
    settle(worker)
    assert statuses() == ["sent"]


def test_a_sweep_alone_finds_what_every_lost_wake_up_stood_for(worker: RedisServer, tmp_path: Path) -> None:
    offer_to("ada", tmp_path)
    worker.empty()
    tasks.sweep()
    settle(worker)
    assert statuses() == ["sent"]


def test_doubled_and_late_wake_ups_change_nothing(worker: RedisServer, tmp_path: Path) -> None:
    offer_to("ada", tmp_path)
    for task in (*ALL, *ALL, *reversed(ALL)):
        task()
    settle(worker)
    assert statuses() == ["sent"]


def test_a_task_whose_slice_is_over_leaves_the_rest_to_another_wake_up(
    as_worker: Callable[..., None],
    database_url: str,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_worker(DATABASE_URL=database_url, BROKER_URL=redis_server.url, DRAIN_SECONDS="0.001")
    monkeypatch.setattr(process.engine(), "work", lambda: Drained(customers=tasks.WORTH_HELP, more=True))
    tasks.advance()
    assert published(redis_server) == ["advance", "deliver"]


def test_a_task_waits_for_what_may_leave_in_a_moment_but_not_beyond_its_slice(
    as_worker: Callable[..., None],
    database_url: str,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_worker(DATABASE_URL=database_url, BROKER_URL=redis_server.url, DRAIN_SECONDS="1")
    answers = [Drained(again_in=0.01), Drained(again_in=0.01), Drained(), Drained(again_in=30.0)]
    monkeypatch.setattr(process.engine(), "work", lambda: answers.pop(0))
    tasks.deliver()
    assert len(answers) == 1
    assert published(redis_server) == []
    tasks.deliver()
    assert published(redis_server) == ["deliver"]


@pytest.mark.parametrize("wake", WAKES)
def test_what_is_committed_once_a_task_has_begun_is_worth_a_wake_up_of_its_own(
    worker: RedisServer, wake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    other = process.publisher()

    def meanwhile() -> Drained:
        before = other.counts.published
        other.wake(wake)  # type: ignore[arg-type]
        woken.append(other.counts.published > before)
        return Drained()

    monkeypatch.setattr(process.engine(), {"advance": "work", "deliver": "work"}.get(wake, wake), meanwhile)
    other.wake(wake)  # type: ignore[arg-type]
    getattr(tasks, wake)()
    assert woken == [True]


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_an_unreachable_database_ends_a_task_quietly(
    task: Callable[[], None], as_worker: Callable[..., None], redis_server: RedisServer
) -> None:
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    as_worker(DATABASE_URL=away, BROKER_URL=redis_server.url)
    task()


def test_a_sweep_that_fails_wakes_the_others_all_the_same(
    worker: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise RuntimeError("anything")

    monkeypatch.setattr(process.engine(), "sweep", broken)
    tasks.sweep()
    assert published(worker) == ["advance"]


def test_a_forked_process_makes_an_engine_of_its_own(worker: RedisServer) -> None:
    mine = process.engine()
    child = os.fork()
    if child == 0:
        os._exit(0 if process.engine() is not mine and process.engine() is process.engine() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert process.engine() is mine


def entry(name: str) -> ScheduleEntry:
    return ScheduleEntry(app=app, name=name, **SCHEDULE[name])


def test_two_beats_are_one_wake_up_as_long_as_it_waits(worker: RedisServer) -> None:
    beats = [Waker(app=app), Waker(app=app)]
    for beat in beats * 3:
        beat.apply_async(entry("sweep"), advance=False)
    assert published(worker) == ["sweep"]


def test_a_beat_whose_broker_is_away_goes_on(worker: RedisServer) -> None:
    beat = Waker(app=app)
    worker.kill()
    beat.apply_async(entry("sweep"), advance=False)
    assert process.publisher().counts.dropped == 1
    worker.start()
    beat.apply_async(entry("sweep"), advance=False)
    assert published(worker) == ["sweep"]


def test_beat_keeps_its_schedule_in_memory() -> None:
    beat = Waker(app=app, schedule_filename="/nowhere/at/all")
    assert {part.task for part in beat.schedule.values()} >= {TASKS["sweep"], TASKS["scan"]}
