"""Pages in a real browser: the web process of tests/web, looked at with Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.browser.chromium import browser
from tests.web.conftest import anna, offered, sendgrid, settings, web

__all__ = ["anna", "offered", "sendgrid", "settings", "web"]


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[Chrome]:
    with browser(tmp_path / "profile") as made:
        yield made


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Chrome]:
    """As wide as a small phone, JavaScript off."""
    with browser(tmp_path / "phone", width=360, height=740, script=False) as made:
        yield made
