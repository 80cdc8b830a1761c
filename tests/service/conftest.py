"""One scene a test: the real engine, a real PostgreSQL, a clock that moves when told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Scene, open_scene


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    opened = open_scene(database_url, tmp_path / "playbooks")
    yield opened
    assert opened.violations() == []
    opened.close()
