"""The example of a product's own code, run as its readers would run it."""

from __future__ import annotations

import subprocess
import sys

from tests.acceptance.cli import PLAYBOOKS, ROOT, environment, run


def product(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "examples/product.py", "ada"],
        cwd=ROOT,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_product_tells_tracks_and_starts_and_may_repeat_itself(database_url: str) -> None:
    assert run("publish", PLAYBOOKS, database_url=database_url).code == 0
    first, second = product(database_url), product(database_url)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("export_limit_modal v1: e_")
    assert first.stdout.split(",")[0] == second.stdout.split(",")[0]
    assert "entered 'export_limit_modal'" in run("explain", "ada", database_url=database_url).out
