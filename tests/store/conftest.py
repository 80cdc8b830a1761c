"""What the store's tests share; their databases come from tests/conftest.py."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.fixture
def empty_url(empty_database_url: str) -> str:
    """A database with nothing in it."""
    return empty_database_url


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)
