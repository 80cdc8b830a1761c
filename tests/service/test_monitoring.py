"""Figures about the work: the sweep counts it, processes tell of themselves, and readers count nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.base import SendStatus
from orchestrator import metrics
from orchestrator.records.intake import Track
from orchestrator.records.operations.work import Health, LaneState, ProcessState
from orchestrator.service.operations.monitoring import ProcessReporter
from orchestrator.store.monitoring.count import count_work
from orchestrator.store.monitoring.readiness import work_problem
from orchestrator.store.reports import snapshots
from orchestrator.telemetry import emit
from tests.support.engine import Scene, one_message, open_scene
from tests.support.statements import counted

NIGHT = 'quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    opened = open_scene(database_url, tmp_path / "playbooks")
    call = one_message("call").replace(
        "send: {channel: email, template: note}", "handoff: {to: crm, template: brief}"
    )
    opened.publish_playbooks(one_message("mail"), one_message("text", "sms"), call, policy=NIGHT)
    yield opened
    opened.engine.close()


_NOTHING = {"answers/": 0, "signals/": 0, "timers/": 0, "background/": 0}


def kept(scene: Scene, metric: str) -> dict[str, float]:
    """Label values, joined, to the value that is kept."""
    rows = scene.rows("SELECT labels, value FROM work_counters WHERE metric = :metric", metric=metric)
    return {"/".join(row.labels[name] for name in sorted(row.labels)): row.value for row in rows}


def count(scene: Scene) -> Health:
    scene.skip(seconds=6)
    with scene.engine.services.store.begin() as transaction:
        assert transaction.monitoring.count_work(transaction.instants())
    return scene.engine.reports.health()


def sweep_later(scene: Scene) -> Health:
    """The work is counted every five seconds at most."""
    scene.skip(seconds=6)
    scene.engine.sweep()
    return scene.engine.reports.health()


def test_the_sweep_counts_what_waits_in_each_lane(scene: Scene) -> None:
    scene.person()
    scene.start("anna", "text")
    scene.engine.track([Track(key="anna", event="limit_reached")])
    scene.execute(
        "UPDATE dispatch SET due_at = due_at - interval '3 seconds', free_at = free_at - interval '1 day'"
    )
    count(scene)
    assert kept(scene, metrics.LAG) == {**_NOTHING, "signals/": 6, "messages/sandbox": 9, "settle/sandbox": 0}
    assert kept(scene, metrics.DUE) == {**_NOTHING, "signals/": 1, "messages/sandbox": 1, "settle/sandbox": 0}
    assert kept(scene, metrics.WAITING) == {"planned": 1, "handing_over": 0, "uncertain": 0}
    assert kept(scene, metrics.LIVE) == {"": 1}
    scene.drain()
    health = sweep_later(scene)
    assert {f"{lane.name}/": lane.due for lane in health.lanes} == _NOTHING
    assert (health.live, health.planned) == (1, 0)


def test_what_is_held_back_is_counted_by_policy_and_what_is_unknown_by_status(scene: Scene) -> None:
    for key in ("anna", "ben"):
        scene.person(key)
        scene.start(key, "mail")
    scene.person("clara")
    scene.provider_fails("sms", SendStatus.UNCERTAIN)
    scene.start("clara", "text")
    scene.drain()
    health = sweep_later(scene)
    assert health.held == {"quiet_hours": 2}
    assert (health.planned, health.uncertain) == (2, 1)


def test_parked_is_counted_by_reason_and_is_no_lag(scene: Scene) -> None:
    scene.person()
    scene.start("anna", "mail")
    scene.engine.track([Track(key="anna", event="limit_reached")])
    scene.execute("INSERT INTO parked SELECT id, 0, 'ValueError', 'x', now() FROM customers")
    scene.skip(days=10)
    health = count(scene)
    assert health.parked == {"ValueError": 1}
    assert health.lag == timedelta(0)
    scene.execute("DELETE FROM parked")
    health = count(scene)
    assert health.parked == {}
    assert health.lag > timedelta(days=7)


def test_a_large_table_is_counted_a_stretch_at_a_time(scene: Scene) -> None:
    scene.execute(
        "INSERT INTO timers (customer_id, enrollment_id, playbook, reentry_key, visit, due_at)"
        " SELECT n, n, 'mail', '', 1, now() + interval '9 years' FROM generate_series(1, 2000) AS n"
    )
    pages = scene.value("SELECT pg_relation_size('timers') / current_setting('block_size')::int")
    rounds, seen = 0, {}
    with scene.engine.database.begin() as connection:
        while not (seen := dict(connection.exec_driver_sql(
            "SELECT metric, value FROM work_counters WHERE metric = 'orchestrator_enrollments_live'"
        ).all())):  # fmt: skip
            scene.clock.advance(timedelta(seconds=6))
            assert count_work(connection, scene.clock.read(None), blocks=7)
            rounds += 1
    assert seen == {"orchestrator_enrollments_live": 2000}
    assert rounds == -(-pages // 7)


def test_one_counts_at_a_time_and_not_more_often_than_needed(scene: Scene) -> None:
    now = scene.clock.read(None)
    with scene.engine.database.begin() as first, scene.engine.services.store.begin() as other:
        assert count_work(first, now)
        assert not other.monitoring.count_work(now), "the other one counts"
    with scene.engine.services.store.begin() as other:
        assert not other.monitoring.count_work(now), "it was counted just now"


def test_readers_count_nothing_while_the_sweep_does(scene: Scene) -> None:
    sweep_later(scene)
    with counted(scene.engine.database) as statements:
        scene.engine.reports.health()
        assert scene.engine.reports.readiness().ready
    touched = [table for table in ("timers", "dispatch", "inbox", "messages") if table in "".join(statements)]
    assert touched == []
    scene.skip(minutes=1)
    with counted(scene.engine.database) as statements:
        scene.engine.reports.health()
    assert "FROM timers" in "".join(statements), "nobody sweeps: it is counted for whoever asks"


def test_processes_tell_of_themselves_and_add_what_they_counted(scene: Scene) -> None:
    sample = ("orchestrator_sends_total", (("channel", "sms"), ("provider", "sandbox"), ("result", "sent")))
    for turn in (1, 2):
        reporter = ProcessReporter(services=scene.engine.services)
        before = metrics.samples().get(sample, 0.0)
        scene.person(f"p{turn}")
        scene.start(f"p{turn}", "text")
        scene.drain()
        assert metrics.samples()[sample] == before + 1
        reporter.report("worker", works=True)
        reporter.report("worker", works=True)  # nothing new
        assert kept(scene, "orchestrator_sends_total")["sms/sandbox/sent"] == turn
    one, other = scene.engine.reports.health().workers
    assert one.process != other.process
    assert one.last_batch is not None
    assert one.last_batch < timedelta(minutes=1)
    reporter.leave()
    assert len(scene.engine.reports.health().workers) == 1
    scene.skip(seconds=31)
    assert scene.engine.reports.health().processes == []


def test_a_process_says_how_it_is_doing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(scene.engine.delivery), "backlog", 7)
    emit("claiming.stopped", fault="KeyError for 9 of 9")
    scene.engine.report("worker", works=True, broker_silent=True)
    (told,) = scene.engine.reports.health().workers
    assert (told.results_waiting, told.broker_silent, told.claiming_stopped) == (
        7,
        True,
        "KeyError for 9 of 9",
    )
    assert scene.engine.reports.readiness().work == "claiming stopped: KeyError for 9 of 9"
    emit("claiming.resumed", fault="KeyError for 9 of 9")
    scene.engine.report("worker", works=True)
    assert scene.engine.reports.readiness().ready


def test_batches_and_locks_are_timed(scene: Scene) -> None:
    def number(name: str, **labels: str) -> float:
        return metrics.samples().get((name, tuple(sorted(labels.items()))), 0.0)

    names = ("orchestrator_lock_held_seconds_count", "orchestrator_lock_wait_seconds_count")
    before = [number(name) for name in names]
    batches = number("orchestrator_batch_seconds_count", task="advance")
    scene.person()
    scene.start("anna", "text")
    scene.drain()
    assert all(number(name) > was for name, was in zip(names, before, strict=True))
    assert number("orchestrator_batch_seconds_count", task="advance") > batches


def test_a_process_says_what_its_events_say(scene: Scene) -> None:
    emit("provider.breaker_opened", provider="sendgrid", failures=5, seconds=30.0)
    emit("provider.limited", provider="twilio", retry_after=1.0)
    assert metrics.process_state()["breakers"] == ["sendgrid"]
    assert "twilio" in metrics.process_state()["rates_used_up"]
    scene.engine.reporter.report("worker", works=True)
    assert scene.engine.reports.health().open_breakers == ["sendgrid"]
    emit("provider.breaker_closed", provider="sendgrid")
    assert metrics.process_state()["breakers"] == []


def test_hand_overs_to_targets_of_authors_share_a_label(scene: Scene) -> None:
    scene.person()
    scene.start("anna", "call")
    scene.drain()
    labels = {
        dict(labels)["channel"] for name, labels in metrics.samples() if name == "orchestrator_sends_total"
    }
    assert "handoff" in labels
    assert "crm" not in labels


def test_pages_over_a_large_base_show_reports_that_were_made_before(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = scene.engine.reports
    for key in ("anna", "ben"):
        scene.person(key)
        scene.start(key, "mail")
        scene.drain()
    live = (
        reports.funnel("mail"),
        reports.held_back(days=7),
        reports.held_back(days=7, policy="quiet_hours"),
    )
    assert live[0].entered == 2
    assert len(live[2].messages) == 2
    monkeypatch.setattr(snapshots, "LARGE", -1)
    assert reports.playbooks().counted_at is None, "none was made yet: it is counted"
    scene.engine.care()
    scene.person("clara")
    scene.start("clara", "mail")
    scene.drain()
    sweep_later(scene)
    with counted(scene.engine.database) as statements:
        assert reports.funnel("mail") == live[0]
        page = reports.held_back(days=5)
        assert (page.objections, page.messages) == (live[1].objections, live[1].messages)
        assert reports.held_back(days=7, policy="quiet_hours").messages == live[2].messages
        assert reports.held_back(days=7, policy="frequency_cap").messages == ()
        assert reports.playbooks().counted_at == reports.playbook("mail").counted_at is not None
    assert not any("FROM journal" in statement or "FROM verdicts" in statement for statement in statements)
    scene.skip(minutes=5)
    scene.engine.care()
    assert reports.funnel("mail").entered == 3


def worker(**more: Any) -> ProcessState:
    known = {"process": "p", "role": "worker", "version": "1", "heard": timedelta(), "works": True}
    return ProcessState(**{**known, "last_batch": timedelta(minutes=2), **more})


def work(*processes: ProcessState, lane: str = "timers", provider: str = "", lag: float = 90) -> Health:
    state = LaneState(lane=lane, provider=provider, lag=timedelta(seconds=lag), due=1)
    return Health(
        age=timedelta(), lanes=[state], live=1, planned=0, handing_over=0, uncertain=0, lapsed=0, held={},
        parked={}, clock_rate=1, processes=processes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("health", "problem"),
    [
        (work(), "timers: due for 90 s, and no worker is there"),
        (work(worker()), "timers: due for 90 s, and no batch was finished lately"),
        (work(worker(last_batch=timedelta(seconds=5))), None),
        (work(worker(), lag=10), None),
        (work(worker(), lane="background"), None),
        (
            work(worker(), lane="messages", provider="x"),
            "messages of x: due for 90 s, and no batch was finished lately",
        ),
        (work(worker(breakers=("x",)), lane="messages", provider="x"), None),
        (
            work(worker(claiming_stopped="KeyError for 9 of 9"), lag=0),
            "claiming stopped: KeyError for 9 of 9",
        ),
    ],
)
def test_readiness_looks_at_the_work(health: Health, problem: str | None) -> None:
    assert work_problem(health) == problem
