"""Becomes a Celery process: the command line does not import the workers, it turns into one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from orchestrator.cli.opening import load_settings, ready
from orchestrator.errors import SettingsError


def become(role: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by ``celery --app workers.app ROLE``. Raises SettingsError without a broker."""
    settings = load_settings()
    if settings.broker is None:
        needed = f"ORCHESTRATOR_BROKER_URL is needed for `orchestrator {role}`"
        raise SettingsError([f"{needed}; without a broker `orchestrator serve` does the work itself"])
    if settings.database_url is None:
        raise SettingsError(
            ["ORCHESTRATOR_DATABASE_URL is needed with a broker: all processes share one database"]
        )
    ready(settings)  # a process that cannot work says so now, not in its first task
    level = settings.log_level.upper()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(  # noqa: S606 - this very interpreter, no shell
        sys.executable,
        [sys.executable, "-m", "celery", "--app", "workers.app", role, "--loglevel", level, *arguments],
    )
