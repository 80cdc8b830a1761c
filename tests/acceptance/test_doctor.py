"""``orchestrator doctor`` names the fault, says what to do, and where the runbook tells the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from orchestrator.store import migrate
from orchestrator.store.migrate import head
from tests.acceptance.cli import ROOT, run

WAITING = """
    INSERT INTO customers (key, created_at, updated_at) VALUES ('anna', now(), now());
    INSERT INTO timers (customer_id, enrollment_id, playbook, reentry_key, visit, due_at)
    SELECT id, 1, 'mail', '', 1, now() - interval '5 minutes' FROM customers;
    INSERT INTO parked SELECT id, 7, 'ValueError', 'x', now() FROM customers;
    INSERT INTO processes (process, role, version, started_at, beat_at, last_batch_at, state)
    VALUES ('a:1', 'worker', '1', now(), now(), now(),
            '{"works": true, "breakers": ["twilio"], "broker_silent": true,
              "claiming_stopped": "KeyError for 9 of 9"}');
"""


def execute(database_url: str, statement: str) -> None:
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def faults(found: Any) -> dict[str, str]:
    return {one["fault"]: one["about"] for one in found["findings"] if "fault" in one}


def test_each_fault_is_named_with_what_to_do_and_its_page(database_url: str) -> None:
    execute(database_url, WAITING)
    told = run("doctor", "--json", database_url=database_url)
    assert told.code == 1
    assert faults(told.json) == {
        "broker-silent": "workers",
        "claiming-stopped": "claiming",
        "lane-behind": "timers",
        "breaker-open": "breaker of twilio",
        "parked": "parked",
    }
    for one in told.json["findings"]:
        if "fault" in one:
            assert one["advice"]
            assert Path(ROOT, one["page"]).is_file()
    words = run("doctor", database_url=database_url)
    assert words.code == 1
    assert "parked: put the cause right" in words.out
    assert "see docs/runbook/parked.md" in words.out


def test_a_schema_that_does_not_fit_is_named_and_nothing_more_is_asked(database_url: str) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '0004'")
    try:
        told = run("doctor", "--json", database_url=database_url)
        assert (told.code, faults(told.json)) == (1, {"schema": "schema"})
        execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
        execute(database_url, f"COMMENT ON COLUMN alembic_version.version_num IS '{migrate._RUNS_FROM}9999'")
        newer = run("doctor", "--json", database_url=database_url)
        assert (newer.code, faults(newer.json)) == (1, {"schema": "schema"})
    finally:
        execute(database_url, f"UPDATE alembic_version SET version_num = '{head()}'")
        execute(
            database_url,
            f"COMMENT ON COLUMN alembic_version.version_num IS '{migrate._RUNS_FROM}{migrate.OLDEST_PROGRAM}'",
        )


@pytest.mark.parametrize("as_json", [True, False])
def test_a_database_that_is_away_is_named_too(as_json: bool) -> None:
    told = run("doctor", *(["--json"] if as_json else []), database_url="postgresql://x@127.0.0.1:1/none")
    assert told.code == 3
    if as_json:
        assert faults(told.json) == {"database-away": "database"}
    else:
        assert "see docs/runbook/database-away.md" in told.out
