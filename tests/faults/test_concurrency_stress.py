"""Processes that plan, deliver, opt out and in, and change the caps of the same customers at once: no law is broken.

That this story can fail is shown in test_stress_without_a_guard.py, and that its judge sees what is broken in
test_stress_judge.py. ORCHESTRATOR_STRESS_SECONDS makes the first story longer; -rP shows what was measured:

    ORCHESTRATOR_STRESS_SECONDS=1500 .venv/bin/python -m pytest -rP tests/faults/test_concurrency_stress.py
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.store.batch import definitions
from tests.faults.stress import (
    LOOSE,
    STRICT,
    Crowd,
    all_leave,
    caps,
    measured,
    names,
    playbooks,
    populate,
    publish,
    stress,
)
from tests.faults.stress_roles import Role
from tests.support.engine import Scene, one_message, open_scene

SECONDS = float(os.environ.get("ORCHESTRATOR_STRESS_SECONDS", "10"))
TURNS = max(1, round(SECONDS / 60))  # each with other people, for nobody has thousands of walks behind her
CUSTOMERS = 40  # in each turn
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
ROLES: tuple[Role, ...] = ("worker", "worker", "product", "leaver")


@pytest.mark.timeout(SECONDS * 2 + 300)
def test_no_cap_no_opt_out_and_no_message_is_broken_by_a_crowd_of_processes(
    scene: Scene, database_url: str
) -> None:
    publish(scene, LOOSE, *playbooks())
    done: Counter[str] = Counter()
    for turn in range(TURNS):
        keys = names(CUSTOMERS, after=turn * CUSTOMERS)
        populate(scene, keys)
        crowd = Crowd(roles=ROLES, keys=keys, seconds=SECONDS / TURNS, policies=(STRICT, LOOSE))
        done += stress(scene, database_url, crowd)
        all_leave(scene, keys)
    result = measured(scene, done)
    sys.stdout.write(f"{result}\n")
    assert result.verdict.violations == 0, str(result)
    assert scene.violations(caps(LOOSE)) == [], str(result)
    assert scene.rows("SELECT customer_id, reason, detail FROM parked") == [], str(result)
    assert scene.value(DEADLOCKS) == 0, f"some waited for each other: {result}"
    assert result.tries.total() > 10 * SECONDS, f"too little was tried to prove anything: {result}"
    assert result.overlaps > 0, f"nobody met anybody: {result}"
    for kind in (
        "planned: allowed",
        "planned: opted_out",
        "hand-over: allowed",
        "hand-over: frequency_cap",
        "starts: made",
        "starts: refused",
        "words: revoked",
        "words: granted",
        "policies",
    ):
        assert result.tries[kind] > 0, f"nobody tried {kind}: {result}"


def test_a_longer_window_published_elsewhere_counts_what_was_said_before(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that learns of a new policy in the middle of a batch must not count by what the old one needed."""
    monkeypatch.setattr(definitions, "FRESH_FOR", 60.0)
    here = open_scene(database_url, tmp_path / "here")
    there = open_scene(database_url, tmp_path / "there")
    here.publish_playbooks(one_message("first"), one_message("second"))
    here.person()
    here.start("anna", "first")
    here.drain()
    here.start("anna", "second")  # planned, and not yet handed over
    there.publish_playbooks(
        *(one_message(name) for name in ("first", "second", "third")),
        policy="caps:\n  - {at_most: 1, within: 7d}\n",
    )
    there.start("anna", "third")  # of which this process never heard: now it looks
    here.drain()
    assert here.spoken() == [("anna", "email")]
    for one in (here, there):
        one.engine.close()
