"""The scene of the concurrency stress: a real engine, and the ledger laid before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.clock import VirtualClock
from tests.faults.stress_ledger import lay_ledger
from tests.support.engine import NOON, Scene, real_engine, unheard
from tests.support.postgres import Databases


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A new one: its deadlocks are counted, and triggers are added to its tables."""
    with databases.scratch(databases.template()) as url:
        yield url


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    engine = real_engine(database_url)
    made = unheard(engine, VirtualClock(NOON), tmp_path / "playbooks")  # nobody asks it for the time
    lay_ledger(engine.database)
    yield made
    engine.close()
