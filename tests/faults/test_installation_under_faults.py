"""The deployed system under faults, judged by its providers' own ledger: short in the gate, everything in the long run.

``python -m tests.faults`` runs the same scenarios by name, shows how they go, and takes a seed and a time.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import pytest

from tests.faults.harness.conduct import conduct
from tests.faults.harness.report import table
from tests.faults.harness.scenarios import SCENARIOS
from tests.support.effort import LONG
from tests.support.services import answers

MINUTES = float(os.environ.get("ORCHESTRATOR_FAULT_MINUTES", "30"))
ON_RABBITMQ = [name for name, scenario in SCENARIOS.items() if scenario.system.get("broker") == "rabbitmq"]


def _seed() -> int:
    given = os.environ.get("ORCHESTRATOR_TEST_SEED")
    if given is not None:
        return int(given)
    return secrets.randbelow(1_000_000) if LONG else 1


def _holds(name: str, folder: Path, *, seconds: float | None = None, customers: int | None = None) -> None:
    result = conduct(
        name,
        SCENARIOS[name],
        folder=folder,
        seed=_seed(),
        seconds=seconds,
        customers=customers,
        rabbitmq_url=os.environ.get("ORCHESTRATOR_TEST_RABBITMQ_URL"),
        say=lambda line: sys.stderr.write(f"{line}\n"),
    )
    assert result.ok, table([result])


@pytest.mark.timeout(600)
def test_a_few_faults_of_each_kind_break_no_law(tmp_path: Path) -> None:
    _holds("short", tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", [name for name in SCENARIOS if not name.startswith(("random", "short"))])
def test_a_scenario_breaks_no_law(name: str, tmp_path: Path) -> None:
    if name in ON_RABBITMQ and not answers("127.0.0.1", 5672):
        pytest.skip("no RabbitMQ on 127.0.0.1:5672")
    _holds(name, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 60 + 1500)
def test_faults_by_chance_break_no_law(tmp_path: Path) -> None:
    """``ORCHESTRATOR_FAULT_MINUTES`` makes it shorter or longer; ``ORCHESTRATOR_TEST_SEED`` repeats one."""
    scenario = SCENARIOS["random"]
    seconds = MINUTES * 60
    _holds(
        "random", tmp_path, seconds=seconds, customers=round(scenario.customers * seconds / scenario.seconds)
    )
