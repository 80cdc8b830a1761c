"""Runs the real command in a process of its own, as a person or a script would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.forked import forked

ROOT = Path(__file__).parents[2]
PLAYBOOKS = ROOT / "playbooks"
SIGNING_KEY = "the-signing-key-of-the-acceptance-tests"
COMMAND = [sys.executable, "-m", "orchestrator.cli.app"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(database_url: str | None = None, **more: str) -> dict[str, str]:
    """The caller's environment without settings of ours, then those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    if database_url is not None:
        clean |= {
            "ORCHESTRATOR_DATABASE_URL": database_url,
            "ORCHESTRATOR_SECRET_KEYS": SIGNING_KEY,
        }
    return clean | {
        "NO_COLOR": "1",
        "COLUMNS": "200",
        **{f"ORCHESTRATOR_{name}": value for name, value in more.items()},
    }


def run(
    *arguments: str | Path,
    database_url: str | None = None,
    stdin: str | None = None,
    seconds: float = 240,
    new_interpreter: bool = False,
    **more: str,
) -> Ran:
    """``orchestrator ARGUMENTS``; further keywords are settings without their prefix."""
    words, variables = list(map(str, arguments)), environment(database_url, **more)
    if new_interpreter:
        done = subprocess.run(
            [*COMMAND, *words], cwd=ROOT, env=variables, input=stdin, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
    else:
        done = forked(words, folder=ROOT, environment=variables, stdin=stdin, seconds=seconds)
    assert "Traceback" not in done.stderr, done.stderr
    assert "Traceback" not in done.stdout, done.stdout
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)
