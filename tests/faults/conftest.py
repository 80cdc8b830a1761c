"""The scene of the hammer: a real engine, and the ledger laid before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.store.coordination.clock import DatabaseClock
from tests.faults.hammer_ledger import lay_ledger
from tests.support.engine import Scene, real_engine
from tests.support.postgres import Databases


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A new one: its deadlocks are counted, and triggers are added to its tables."""
    with databases.scratch(databases.template()) as url:
        yield url


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    engine = real_engine(database_url)
    made = Scene(engine=engine, folder=tmp_path / "playbooks", clock=DatabaseClock(), given=[])  # type: ignore[arg-type]
    lay_ledger(engine.database)
    yield made
    engine.close()
