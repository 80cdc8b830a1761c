"""The pytest plugin, found by pytest itself where this package is installed.

``orchestrator_engine``        a :class:`~orchestrator.testing.engine.TestEngine` with nothing published; at the end
                               of the test the invariants of its database are checked
``orchestrator_database_url``  a migrated, empty database of this test alone
``orchestrator_server_url``    the PostgreSQL server of the session: ``ORCHESTRATOR_TEST_DATABASE_URL``, else an
                               embedded one whose files stay in pytest's cache. Override it to use another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orchestrator.testing import TestEngine


@pytest.fixture(scope="session")
def orchestrator_server_url(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a PostgreSQL server in which databases may be made."""
    from orchestrator.testing.server import server_for_tests  # noqa: PLC0415 - a run that tests something else pays nothing

    cached = getattr(pytestconfig, "cache", None)
    folder = Path(cached.mkdir("orchestrator")) if cached else tmp_path_factory.mktemp("orchestrator")
    with server_for_tests(folder) as url:
        yield url


@pytest.fixture
def orchestrator_database_url(orchestrator_server_url: str) -> Iterator[str]:
    """The URL of a database at the newest revision, dropped after the test."""
    from orchestrator.store.scratch import copied_database  # noqa: PLC0415 - as above

    with copied_database(orchestrator_server_url) as url:
        yield url


@pytest.fixture
def orchestrator_engine(orchestrator_database_url: str, tmp_path: Path) -> Iterator[TestEngine]:
    """The real engine on a virtual clock, for one test."""
    from orchestrator.testing.engine import TestEngine  # noqa: PLC0415 - as above

    with TestEngine.open(orchestrator_database_url, folder=tmp_path / "playbooks") as engine:
        yield engine
        engine.assert_invariants()
