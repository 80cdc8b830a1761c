"""The public surface is one list: what is on it stays, what is not may move."""

from __future__ import annotations

import subprocess
import sys

import orchestrator

AUTHORS = {
    "Ask", "Branch", "Call", "Choose", "Cooldown", "End", "Enter", "Goal", "Handoff", "OwnName", "Playbook", "Send",
    "Set", "Split", "Start", "Step", "WaitUntil", "all_of", "any_of", "at_least_of", "not_", "where",
}  # fmt: skip
PRODUCT = {"connect", "identify", "opt_in", "opt_out", "respond", "start_playbook", "track"}
ERRORS = {"InputError", "NotFound", "OrchestratorError", "StartRefused"}


def test_the_public_names_are_these() -> None:
    assert set(orchestrator.__all__) == AUTHORS | PRODUCT | ERRORS


def test_every_public_name_is_there() -> None:
    assert all(hasattr(orchestrator, name) for name in orchestrator.__all__)


def test_an_author_loads_no_database_and_no_provider() -> None:
    heavy = "('sqlalchemy', 'twilio', 'fastapi')"
    words = f"import sys; from orchestrator import Playbook; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
