"""A real browser without a window. Missing: skipped at home, a failure where CI promised one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en",
)  # fmt: skip
_NOT_YET = (
    WebDriverException,
)  # a page on its way out answers with more errors than those of a stale element


@contextmanager
def browser(folder: Path, *, width: int = 1200, height: int = 900, script: bool = True) -> Iterator[Chrome]:
    """A fresh profile in ``folder``. ``script=False`` is a browser whose owner switched JavaScript off."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        if os.environ.get("ORCHESTRATOR_REQUIRE_BROWSER") == "1":
            pytest.fail("ORCHESTRATOR_REQUIRE_BROWSER=1, and no chromium with chromedriver is installed")
        pytest.skip("no chromium with chromedriver on this machine")
    options = Options()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={folder}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    if not script:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@contextmanager
def another_page(chrome: Chrome) -> Iterator[None]:
    """What is pressed inside leads to another page, which is there afterwards."""
    before = chrome.find_element(By.TAG_NAME, "html")
    yield
    wait = WebDriverWait(chrome, 20, ignored_exceptions=_NOT_YET)
    wait.until(staleness_of(before))
    wait.until(lambda browser: browser.find_element(By.TAG_NAME, "main"))


def complaints(chrome: Chrome) -> list[str]:
    """What the browser's console has against the page: broken scripts, refused styles, missing files."""
    return [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
