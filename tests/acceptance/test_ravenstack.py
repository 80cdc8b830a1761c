"""Two years of a company somebody else made up, through four playbooks; skipped where the data is absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from examples.ravenstack.__main__ import FIRST_DAY, PLAYBOOKS, data_folder
from examples.ravenstack.jsonl import write_jsonl
from examples.ravenstack.mapping import ZONES, Fact, facts
from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.signal_files import read_signals
from tests.acceptance.cli import ROOT, environment

pytestmark = pytest.mark.skipif(
    not (ROOT / data_folder()).is_dir(),
    reason="no RavenStack data; set ORCHESTRATOR_SHARED to the folder that holds it",
)


@pytest.fixture(scope="module")
def told() -> list[Fact]:
    return facts(ROOT / data_folder())


def rehearsed(url: str, *arguments: str) -> dict[str, object]:
    shared = os.environ.get("ORCHESTRATOR_SHARED", "../shared")
    done = subprocess.run(
        [sys.executable, "-m", "examples.ravenstack", "--json", *arguments],
        cwd=ROOT,
        env=environment(url, SHARED=shared),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_every_row_becomes_its_signals(told: list[Fact]) -> None:
    counted = Counter(fact.event for fact in told if isinstance(fact, Track))
    assert counted["account_created"] == 500
    assert counted["subscription_started"] == 5_000
    assert counted["feature_used"] == 25_000
    assert counted["support_ticket_opened"] == 2_000
    assert counted["account_churned"] == 600
    assert 0 < counted["premium_module_opened"] < counted["feature_used"]
    assert 0 < counted["plan_downgraded"] < counted["plan_upgraded"] < counted["subscription_ended"] * 2


def test_the_customer_is_the_account(told: list[Fact]) -> None:
    assert len({fact.key for fact in told}) == 500


def test_signals_come_in_order_and_each_counts_once(told: list[Fact]) -> None:
    instants = [fact.occurred_at for fact in told if fact.occurred_at]
    assert instants == sorted(instants)
    assert instants[0] >= FIRST_DAY
    ids = [fact.source_id for fact in told if isinstance(fact, Track)]
    assert len(ids) == len(set(ids))
    assert "feature_used:U-1c6c24" in ids


def test_every_account_has_a_zone(told: list[Fact]) -> None:
    zones = {
        fact.traits["timezone"] for fact in told if isinstance(fact, Identify) and "timezone" in fact.traits
    }
    assert zones == set(ZONES.values())


def test_written_signals_read_back_the_same(told: list[Fact], tmp_path: Path) -> None:
    write_jsonl(told[:2000], tmp_path / "signals.jsonl")
    assert read_signals(tmp_path / "signals.jsonl") == told[:2000]


def test_the_first_months_walk_through_all_four_playbooks(postgres_url: str) -> None:
    report = rehearsed(postgres_url, "--months", "4")
    assert report["violations"] == []
    playbooks = {one["playbook"]: one for one in report["playbooks"]}  # type: ignore[attr-defined]
    assert set(playbooks) == {path.parent.name for path in PLAYBOOKS.glob("*/playbook.yaml")}
    assert playbooks["power_user_upsell"]["entered"] > 0
    assert playbooks["at_risk_win_back"]["entered"] > 0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_years_end_with_every_invariant_intact(postgres_url: str) -> None:
    report = rehearsed(postgres_url)
    assert report["violations"] == []
    assert report["customers"] == 500
    assert all(one["entered"] > 50 for one in report["playbooks"])  # type: ignore[attr-defined]
