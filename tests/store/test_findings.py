"""What the figures mean: which of them is a fault, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from orchestrator.records.operations.work import Health, LaneState, ProcessState
from orchestrator.store.monitoring.findings import server_findings, work_findings
from orchestrator.store.monitoring.server import LongTransaction, ServerFacts, server_facts
from orchestrator.store.sql.connections import make_engine

WORKER = ProcessState(
    process="a:1", role="worker", version="1", heard=timedelta(), last_batch=timedelta(), works=True
)


def lane(name: str = "timers", provider: str = "", *, lag: float) -> list[LaneState]:
    return [LaneState(lane=name, provider=provider, lag=timedelta(seconds=lag), due=1)]


def health(**more: Any) -> Health:
    well: dict[str, Any] = {"lanes": [], "held": {}, "parked": {}, "clock_rate": 1.0, "processes": [WORKER]}
    counts = {"live": 0, "planned": 0, "handing_over": 0, "uncertain": 0, "lapsed": 0}
    return Health(age=timedelta(), **{**well, **counts, **more})


def worker(**more: Any) -> list[ProcessState]:
    known = {name: getattr(WORKER, name) for name in WORKER.__slots__}
    return [ProcessState(**{**known, **more})]


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (health(), None),
        (health(processes=[]), "nobody-works"),
        (health(lanes=lane(lag=61)), "lane-behind"),
        (health(lanes=lane("background", lag=9999)), None),
        (health(processes=worker(claiming_stopped="x")), "claiming-stopped"),
        (health(processes=worker(breakers=("twilio",))), "breaker-open"),
        (health(processes=worker(rates_used_up=("twilio",))), None),
        (health(processes=worker(broker_silent=True)), "broker-silent"),
        (health(processes=[WORKER, *worker(broker_silent=True)]), None),
        (health(processes=worker(results_waiting=1000)), "results-waiting"),
        (health(uncertain=99), None),
        (health(uncertain=100), "uncertain-messages"),
        (health(parked={"ValueError": 1}), "parked"),
        (health(clock_rate=60.0), "clock"),
    ],
)
def test_a_figure_is_a_fault_when_somebody_should_look(found: Health, fault: str | None) -> None:
    assert {one.fault for one in work_findings(found, production=True) if one.ok is False} == {fault} - {None}


def test_a_rate_is_a_fault_once_messages_are_late() -> None:
    found = health(processes=worker(rates_used_up=("twilio",)), lanes=lane("messages", "twilio", lag=61))
    assert {one.fault for one in work_findings(found, production=True) if one.ok is False} == {
        "rate-used-up",
        "lane-behind",
    }


def test_a_rehearsal_without_workers_is_no_fault() -> None:
    found = health(processes=[], clock_rate=60.0)
    assert not [one for one in work_findings(found, production=False) if one.ok is False]


WELL = {
    "connections": 3,
    "connection_limit": 97,
    "autovacuum": True,
    "without_statistics": (),
    "clock_ahead": 0.0,
}
OTHER = LongTransaction(pid=1, who="psql", what="idle in transaction", seconds=90)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"connections": 83}, "database-limits"),
        ({"autovacuum": False}, "statistics-missing"),
        ({"without_statistics": ("timers",)}, "statistics-missing"),
        ({"long_transactions": (OTHER,)}, "long-transactions"),
        ({"clock_ahead": -3.0}, "clock"),
    ],
)
def test_what_the_server_says_is_judged(change: dict[str, Any], fault: str | None) -> None:
    facts = ServerFacts(**{"long_transactions": (), **WELL, **change})  # type: ignore[arg-type]
    assert {one.fault for one in server_findings(facts) if one.ok is False} == {fault} - {None}


def test_the_server_is_asked_about_statistics_and_transactions(database_url: str) -> None:
    engine = make_engine(database_url, application_name="tests")
    other = create_engine(engine.url, connect_args={"application_name": "a report"})
    with other.connect() as report, engine.connect() as connection:
        report.execute(text("SELECT 1"))
        facts = server_facts(connection)
        assert facts.connections >= 2
        assert facts.connection_limit > facts.connections
        assert abs(facts.clock_ahead) < 60
        assert facts.without_statistics == []
        assert facts.long_transactions == [], "it has only begun"
        (long,) = server_facts(connection, old=0.0).long_transactions
        assert (long.who, long.what) == ("a report", "idle in transaction")
    engine.dispose()
    other.dispose()
