"""Processes that plan, deliver, opt out and in, and change the caps of the same customers at once: no law is broken.

The same crowd with one guard taken away breaks them: so the first story can fail. ORCHESTRATOR_HAMMER_SECONDS makes the
first one longer.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.clock import monotonic
from orchestrator.service.values import Identify, Track
from orchestrator.store import definitions
from orchestrator.wiring import set_clock_rate
from tests.faults.hammer import RATE, WITHOUT, Part, Verdict, child, in_force, judge, lay_ledger
from tests.support.engine import Scene, one_message, open_scene, playbook, real_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SECONDS = float(os.environ.get("ORCHESTRATOR_HAMMER_SECONDS", "15"))
CUSTOMERS = 100
ROLES = ("worker:0", "worker:1", "starter", "leaver", "tracker")
SHORT, LONG = timedelta(hours=3), timedelta(days=7)
LOOSE, STRICT = (3, 9), (1, 6)  # so many in each window
EACH = 3.0  # seconds a policy stays

STARTED = [f"offer{number}" for number in range(4)]
TRIGGERED = playbook(
    "triggered",
    "  say:  {send: {channel: [email, in_app], template: note}, wait: 1h, then: done}\n"
    "  done: {end: finished}\n",
    topic="cross_sell",
    more="enter: {when: limit_reached, because: x, reentry: {after: 1h}}\n",
)


def caps(short: int, long: int) -> str:
    return (
        f"caps:\n  - {{at_most: {short}, within: 3h}}\n  - {{at_most: {long}, within: 7d}}\n"
        "rests: {ignored: 10min}\n"
    )


@dataclass(frozen=True, kw_only=True)
class Result:
    verdict: Verdict
    tried: Counter[str]
    broken: list[str]  # invariants


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    """Everybody is known and in the product; the ledger is laid; an hour passes in a second."""
    engine = real_engine(database_url)
    made = Scene(engine=engine, folder=tmp_path / "playbooks", clock=engine.clock, given=[])  # type: ignore[arg-type]
    lay_ledger(engine.engine)
    publish(made, *LOOSE)
    keys = names()
    traits = {"timezone": "UTC"}
    engine.identify([Identify(key=key, traits=traits | {"email": f"{key}@shop.example"}) for key in keys])
    engine.track([Track(key=key, event="session_started") for key in keys])
    made.drain()
    set_clock_rate(engine, RATE)
    yield made
    engine.close()


def names(many: int = CUSTOMERS) -> list[str]:
    return [f"p{number:03}" for number in range(many)]


def publish(scene: Scene, short: int, long: int) -> None:
    offers = [one_message(name, wait="1h", more=f"priority: {10 * at}\n") for at, name in enumerate(STARTED)]
    with in_force(scene.engine.engine, short, long):
        scene.publish(*offers, TRIGGERED, policy=caps(short, long))


def hammer(
    scene: Scene, url: str, seconds: float, *, keys: list[str], roles: tuple[str, ...] = ROLES
) -> Result:
    """All processes at once; meanwhile the caps are lowered and raised again and again."""
    part = Part(role="", database_url=url, keys=keys, names=STARTED, seconds=seconds, all_of=len(roles))
    spawn = multiprocessing.get_context("spawn")
    tried: Counter[str] = Counter()
    with ProcessPoolExecutor(len(roles), mp_context=spawn) as pool:
        running = [pool.submit(child, replace(part, role=role)) for role in roles]
        ends = monotonic() + seconds + 120
        policy = LOOSE
        while monotonic() < ends and wait(running, timeout=EACH).not_done:
            policy = STRICT if policy is LOOSE else LOOSE
            publish(scene, *policy)
            tried["policies"] += 1
        for one in running:
            tried.update(one.result(timeout=1))
    publish(scene, *LOOSE)  # the invariants ask the caps that are in force: never more than these
    return Result(
        verdict=judge(scene.engine.engine, SHORT, LONG),
        tried=tried,
        broken=sorted({one.invariant for one in scene.violations()}),
    )


def told(result: Result) -> str:
    """What was measured, for whoever reads a failure."""
    return f"{result.verdict} {sorted(result.tried.items())} {result.broken}"


def test_no_cap_no_opt_out_and_no_message_is_broken_by_a_crowd_of_processes(
    scene: Scene, database_url: str
) -> None:
    result = hammer(scene, database_url, SECONDS, keys=names())
    sys.stdout.write(told(result) + "\n")  # shown by -rP: how much was tried
    assert result.verdict.violations == 0, told(result)
    assert result.broken == [], told(result)
    assert result.verdict.taken > CUSTOMERS, "too little was said to prove anything: " + told(result)
    for deed in ("starts", "signals", "opt-outs", "opt-ins", "messages handed over", "policies"):
        assert result.tried[deed] > 0, f"nobody did {deed}: {told(result)}"


def test_without_the_lock_on_the_customer_the_same_crowd_breaks_them(
    scene: Scene, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = names(40)
    for key in keys:
        for name in STARTED:
            scene.start(key, name)
    monkeypatch.setenv(WITHOUT, "lock")
    result = hammer(scene, database_url, min(SECONDS, 8), keys=keys, roles=("worker:0", "worker:1", "leaver"))
    assert result.verdict.violations > 0, told(result)


def test_without_the_second_question_at_the_hand_over_the_same_crowd_breaks_them(
    scene: Scene, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WITHOUT, "second_check")
    result = hammer(scene, database_url, min(SECONDS, 8), keys=names())
    assert result.verdict.over_caps > 0, told(result)


def test_a_longer_window_published_elsewhere_counts_what_was_said_before(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that learns of a new policy in the middle of a batch must not count by what the old one needed."""
    monkeypatch.setattr(definitions, "FRESH_FOR", 60.0)
    here = open_scene(database_url, tmp_path / "here")
    there = open_scene(database_url, tmp_path / "there")
    here.publish(one_message("first"), one_message("second"))
    here.person()
    here.start("anna", "first")
    here.drain()
    here.start("anna", "second")  # planned, and not yet handed over
    there.publish(
        *(one_message(name) for name in ("first", "second", "third")),
        policy="caps:\n  - {at_most: 1, within: 7d}\n",
    )
    there.start("anna", "third")  # of which this process never heard: now it looks
    here.drain()
    assert here.spoken() == [("anna", "email")]
    for one in (here, there):
        one.engine.close()
