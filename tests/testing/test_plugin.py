"""The pytest plugin: what a project that installed the package finds among its fixtures."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from orchestrator.testing import embedded_server

ROOT = Path(__file__).parents[2]
TESTS = """
from orchestrator.testing import TestEngine, account_files, playbook_files

STEPS = '''
mail: {send: {channel: email, template: mail}, wait: 1d, then: done}
done: {end: over}
'''
FILES = account_files() | playbook_files("welcome", STEPS)


def test_one(orchestrator_engine: TestEngine) -> None:
    orchestrator_engine.publish(FILES)
    orchestrator_engine.customer("anna", email="anna@shop.example")
    orchestrator_engine.start("anna", "welcome")
    assert [one.step for one in orchestrator_engine.sent("anna")] == ["mail"]


def test_two(orchestrator_engine: TestEngine) -> None:
    orchestrator_engine.publish(FILES)
    assert orchestrator_engine.sent() == []


def test_a_broken_invariant_fails_the_test(orchestrator_engine: TestEngine) -> None:
    orchestrator_engine.publish(FILES)
    orchestrator_engine.customer("anna", email="anna@shop.example")
    orchestrator_engine.start("anna", "welcome")
    with orchestrator_engine.engine.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM timers")
"""


def run(folder: Path, server: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "ORCHESTRATOR_TEST_DATABASE_URL": server,
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "orchestrator.testing.plugin", str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_each_test_has_an_engine_of_its_own_and_its_invariants_are_checked(
    tmp_path: Path, postgres_url: str
) -> None:
    (tmp_path / "test_welcome.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = run(tmp_path, postgres_url)
    assert "3 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "ERROR test_welcome.py::test_a_broken_invariant_fails_the_test" in done.stdout


def test_pytest_finds_it_by_its_entry_point() -> None:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points["pytest11"] == {"orchestrator": "orchestrator.testing.plugin"}


def test_a_run_that_asks_for_nothing_loads_nothing() -> None:
    words = "import sys, orchestrator.testing.plugin; print([m for m in ('sqlalchemy', 'fastapi') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.timeout(300)
def test_an_embedded_server_is_shared_and_stopped_by_the_last(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # the database server may run as another user
    with embedded_server(tmp_path / "kept") as first:
        with embedded_server(tmp_path / "kept") as second:
            assert first == second
        assert (tmp_path / "kept/postgres/data/postmaster.pid").exists()
    assert not (tmp_path / "kept/postgres/data/postmaster.pid").exists()
