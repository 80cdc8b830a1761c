"""The faults: each breaks something for a while, mends it, and is bounded.

An action takes the rig, its chance, and the longest it may last in seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg

from tests.faults.harness.chance import Chance
from tests.faults.harness.rig import Rig

Action: TypeAlias = Callable[[Rig, Chance, float], None]
SERVICES = ("sendgrid", "twilio", "conversations")


def kill_worker(rig: Rig, chance: Chance, longest: float) -> None:
    """``kill -9`` to a worker and its children; another takes its place after a moment.

    Not while one is starting: a machine that starts them slowly would have none that works.
    """
    ready = rig.ready_workers()
    if len(ready) < len(rig.workers):
        return
    place = chance.choice(ready)
    with rig.span("kill worker"):
        rig.workers[place].kill()
        time.sleep(chance.number(0, min(3.0, longest)))
        rig.workers[place] = rig.worker()


def kill_child(rig: Rig, chance: Chance, longest: float) -> None:
    """``kill -9`` to one process of a worker's pool, at any instruction."""
    del longest
    children = [pid for worker in rig.workers for pid in worker.children()]
    if children:
        with rig.span("kill child"), contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(children), signal.SIGKILL)


def freeze_worker(rig: Rig, chance: Chance, longest: float) -> None:
    """SIGSTOP for longer than an authorisation is good for; then it goes on where it was."""
    if not (ready := rig.ready_workers()):
        return
    worker = rig.workers[chance.choice(ready)]
    with rig.span("freeze worker"):
        worker.freeze()
        try:
            time.sleep(min(longest, chance.choice((2.5, 4.0, 8.0, 12.0, 14.0))))
        finally:
            worker.thaw()


def kill_web(rig: Rig, chance: Chance, longest: float) -> None:
    with rig.span("kill web"):
        rig.web.kill()
        time.sleep(chance.number(0, min(3.0, longest)))
        rig.restart_web()


def kill_beat(rig: Rig, chance: Chance, longest: float) -> None:
    del longest
    if rig.beats:
        place = chance.choice(range(len(rig.beats)))
        with rig.span("kill beat"):
            rig.beats[place].kill()
            rig.beats[place] = rig.shop.beat()


def flush_redis(rig: Rig, chance: Chance, longest: float) -> None:
    """FLUSHALL, several times in a row."""
    del longest
    if rig.redis is not None:
        with rig.span("flush redis"):
            for _ in range(chance.choice((1, 1, 5, 20))):
                rig.redis.empty()
                time.sleep(0.05)


def redis_away(rig: Rig, chance: Chance, longest: float) -> None:
    """Killed, and back empty after a while; a moment is a restart."""
    if rig.redis is not None:
        with rig.span("redis away"):
            rig.redis.kill()
            time.sleep(min(longest, chance.choice((0.1, 3.0, 10.0, 25.0))))
            rig.redis.start()


def freeze_redis(rig: Rig, chance: Chance, longest: float) -> None:
    """It accepts connections and says nothing."""
    if rig.redis is not None:
        with rig.span("freeze redis"), rig.redis.frozen():
            time.sleep(min(longest, chance.choice((2.0, 6.0, 12.0))))


def broker_refuses(rig: Rig, chance: Chance, longest: float) -> None:
    if rig.broker_door is not None:
        with rig.span("broker refuses"), rig.broker_door.refusing():
            time.sleep(min(longest, chance.choice((0.5, 4.0, 15.0))))


def broker_still(rig: Rig, chance: Chance, longest: float) -> None:
    if rig.broker_door is not None:
        with rig.span("broker still"), rig.broker_door.still():
            time.sleep(min(longest, chance.choice((3.0, 8.0))))


def restart_postgres(rig: Rig, chance: Chance, longest: float) -> None:
    """An immediate shutdown, as a crash of the machine, and up again."""
    del chance, longest
    with rig.span("restart postgres"), rig.postgres.away():
        pass


def postgres_away(rig: Rig, chance: Chance, longest: float) -> None:
    with rig.span("postgres away"), rig.postgres.away():
        time.sleep(min(longest, chance.choice((2.0, 5.0, 9.0, 20.0, 60.0))))


def freeze_postgres(rig: Rig, chance: Chance, longest: float) -> None:
    with rig.span("freeze postgres"), rig.postgres.frozen():
        time.sleep(min(longest, chance.choice((1.0, 3.0, 8.0))))


def cut_connections(rig: Rig, chance: Chance, longest: float) -> None:
    """Every backend is terminated, several times in a row."""
    del longest
    with rig.span("cut connections"):
        for _ in range(chance.choice((1, 3, 8))):
            with contextlib.suppress(psycopg.Error):
                rig.postgres.cut_connections()
            time.sleep(chance.number(0.1, 0.6))


def providers_refuse(rig: Rig, chance: Chance, longest: float) -> None:
    """No connection can be made: as when the name does not resolve, or a firewall says no."""
    with rig.span("providers refuse"), rig.provider_door.refusing():
        time.sleep(min(longest, chance.choice((2.0, 6.0, 15.0))))


def providers_still(rig: Rig, chance: Chance, longest: float) -> None:
    """Connections are made and nothing passes: calls run into their time limits."""
    with rig.span("providers still"), rig.provider_door.still():
        time.sleep(min(longest, chance.choice((3.0, 7.0))))


def meets(*rules: dict[str, Any]) -> Action:
    """An action during which providers answer by these rules."""

    def act(rig: Rig, chance: Chance, longest: float) -> None:
        with rig.span(f"providers: {', '.join(sorted({rule['kind'] for rule in rules}))}"):
            rig.provider_meets(*rules)
            try:
                time.sleep(min(longest, chance.choice((3.0, 8.0, 15.0))))
            finally:
                rig.provider_meets()

    return act


RATE_LIMITS = meets(
    {"kind": "rate_limit", "share": 0.4, "retry_after": 2.0},
    {"kind": "rate_limit", "share": 0.2},
    {"kind": "unavailable", "share": 0.1, "retry_after": 2.0},
)
ERRORS = meets({"kind": "error", "share": 0.3}, {"kind": "error_after_accept", "share": 0.1})
MIXED = meets(
    {"kind": "error", "share": 0.05},
    {"kind": "garbage", "share": 0.05},
    {"kind": "reset_after_accept", "share": 0.05},
    {"kind": "reset", "share": 0.04},
    {"kind": "rate_limit", "share": 0.1, "retry_after": 1.0},
    {"kind": "hang_after_accept", "share": 0.02, "seconds": 20.0},
    {"kind": "slow", "share": 0.1, "seconds": 2.5},
)
HANGS = meets(
    {"kind": "hang", "share": 0.2, "service": "sendgrid", "seconds": 20.0},
    {"kind": "hang_after_accept", "share": 0.1, "service": "sendgrid", "seconds": 20.0},
)
RESETS = meets({"kind": "reset", "service": "sendgrid"})
SLOW = meets({"kind": "slow", "share": 0.5, "seconds": 3.2}, {"kind": "slow", "share": 0.1, "seconds": 9.5})

OF_PROCESSES: tuple[Action, ...] = (
    kill_worker, kill_worker, kill_child, kill_child, freeze_worker, freeze_worker, kill_web, kill_beat,
)  # fmt: skip
OF_SERVICES: tuple[Action, ...] = (
    flush_redis, redis_away, freeze_redis, broker_refuses, broker_still, restart_postgres, restart_postgres,
    postgres_away, freeze_postgres, cut_connections,
)  # fmt: skip
OF_PROVIDERS: tuple[Action, ...] = (
    RATE_LIMITS, ERRORS, MIXED, MIXED, HANGS, RESETS, SLOW, providers_refuse, providers_still,
)  # fmt: skip


def applies(rig: Rig, action: Action) -> bool:
    """Whether the rig has what the action breaks."""
    if action in (flush_redis, redis_away, freeze_redis):
        return rig.redis is not None
    if action in (broker_refuses, broker_still):
        return rig.broker_door is not None
    if action in (kill_worker, kill_child, freeze_worker, kill_beat):
        return bool(rig.workers)
    return True
