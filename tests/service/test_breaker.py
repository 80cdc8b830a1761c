"""A provider that fails is left alone after a few failures, and one call finds out whether it is back."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.base import Channel, OutboundMessage, SendResult, SendStatus
from channels.function import FunctionCall, TryAgainError
from orchestrator.bootstrap import build_engine
from orchestrator.clock import monotonic, system_now
from orchestrator.engine import Engine
from orchestrator.rate_limits import breakers as module
from orchestrator.rate_limits.breaker import BreakerRules
from orchestrator.rate_limits.breakers import Breakers, make_breakers
from orchestrator.rate_limits.redis_breakers import RedisStates
from orchestrator.service.delivery import deliver, file_results
from tests.support.engine import Scene, one_message, open_scene, playbook, settings_of
from tests.support.machine_time import MachineTime
from tests.support.redis_server import RedisServer

RULES = BreakerRules(failures=5, open_for=30.0, longest=60.0, probe=20.0)
STEADY = BreakerRules(failures=5, open_for=30.0, longest=30.0, probe=20.0)
THREADS = 6


class Hand:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineTime:
    return MachineTime(monkeypatch)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    events: list[tuple[str, Any]] = []
    monkeypatch.setattr(module, "emit", lambda event, **facts: events.append((event, facts.get("seconds"))))
    return events


def fail(breakers: Breakers, count: int, **more: Any) -> None:
    for _ in range(count):
        breakers.report("x", ok=False, **more)


# --- one process ----------------------------------------------------------------------------------------------------


def test_it_opens_after_a_few_failures_and_one_probe_decides(hand: Hand, told: list[tuple[str, Any]]) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    fail(breakers, 4)
    assert breakers.may_call("x")
    for _ in range(4):
        breakers.report("x", ok=True)
    fail(breakers, 4)
    assert breakers.may_call("x"), "four more than good answers are not five"
    fail(breakers, 1)
    assert told == [("provider.breaker_opened", 30.0)]
    assert not breakers.may_call("x")
    assert breakers.may_call("y"), "another provider has a breaker of its own"
    assert breakers.room(["x", "y"], 100) == {"y": 100}

    hand.now += 30
    assert breakers.room(["x", "y"], 100) == {"x": 1, "y": 100}, "half-open: no more than a probe is marked"
    assert [breakers.may_call("x") for _ in range(3)] == [True, False, False]
    assert breakers.room(["x"], 100) == {}, "while the probe is on the wire nothing is marked"
    fail(breakers, 1)
    assert told[1:] == [("provider.breaker_opened", 60.0)], "longer each time"
    hand.now += 59
    assert not breakers.may_call("x")
    hand.now += 1
    assert breakers.may_call("x")
    fail(breakers, 1)
    assert told[2:] == [("provider.breaker_opened", 60.0)], "but no longer than the longest"

    hand.now += 60
    assert breakers.may_call("x")
    breakers.report("x", ok=True)
    assert told[3:] == [("provider.breaker_closed", None)]
    assert breakers.room(["x"], 100) == {"x": 100}
    for _ in range(3):
        breakers.report("x", ok=True)
    fail(breakers, 4)
    assert breakers.may_call("x"), "counted anew"
    fail(breakers, 1)
    assert told[4:] == [("provider.breaker_opened", 30.0)], "and as long as at first"


def test_after_a_probe_two_failures_are_enough(hand: Hand, told: list[tuple[str, Any]]) -> None:
    """A provider that answers a probe and fails again costs two messages, and is left alone for longer."""
    breakers = Breakers(rules=RULES, now=hand)
    fail(breakers, 5)
    hand.now += 30
    assert breakers.may_call("x")
    breakers.report("x", ok=True)
    fail(breakers, 1)
    assert breakers.may_call("x")
    fail(breakers, 1)
    assert not breakers.may_call("x")
    assert told[-1] == ("provider.breaker_opened", 60.0)


def chance(call: int) -> float:
    """The same for each run, from 0 to 1."""
    return int.from_bytes(hashlib.sha256(b"%d" % call).digest()[:4], "big") / 2**32


@pytest.mark.parametrize(("share", "most"), [(0.5, 60), (0.7, 25)])
def test_a_provider_that_fails_now_and_then_is_left_alone_too(hand: Hand, share: float, most: int) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    failed = 0
    for call in range(1000):
        if not breakers.may_call("x"):
            break
        ok = chance(call) >= share
        failed += not ok
        breakers.report("x", ok=ok)
    assert not breakers.may_call("x")
    assert failed <= most


def test_a_provider_that_fails_seldom_is_not(hand: Hand) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    for call in range(2000):
        assert breakers.may_call("x")
        breakers.report("x", ok=chance(call) >= 0.1)


def test_what_was_on_the_wire_when_it_opened_neither_closes_it_nor_prolongs_it(
    hand: Hand, told: list[tuple[str, Any]]
) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    fail(breakers, 5)
    hand.now += 10
    breakers.report("x", ok=True)
    fail(breakers, 7)
    assert not breakers.may_call("x")
    hand.now += 20
    assert breakers.may_call("x")
    assert len(told) == 1


def test_a_pause_that_the_provider_asks_for_is_kept(hand: Hand) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    breakers.report("x", ok=False, retry_after=90.0)
    hand.now += 89
    assert not breakers.may_call("x")
    breakers.report("x", ok=False, retry_after=10.0)
    hand.now += 1
    assert not breakers.may_call("x"), "the later of two answers asked for more"
    hand.now += 9
    assert [breakers.may_call("x") for _ in range(2)] == [True, False]
    breakers.report("x", ok=False, retry_after=1e9)
    hand.now += 3600
    assert breakers.may_call("x"), "nobody shuts a provider for ever"


def test_a_probe_whose_caller_died_is_over_one_day(hand: Hand) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    fail(breakers, 5)
    hand.now += 30
    assert breakers.may_call("x")
    hand.now += 19
    assert not breakers.may_call("x")
    assert breakers.closed_until() == {"x": hand.now + 1}
    hand.now += 1
    assert breakers.may_call("x")


def test_of_many_threads_one_gets_the_probe(hand: Hand) -> None:
    breakers = Breakers(rules=RULES, now=hand)
    fail(breakers, 5)
    hand.now += 30
    assert sum(at_once(16, lambda: breakers.may_call("x"))) == 1


def at_once(count: int, ask: Callable[[], bool]) -> list[bool]:
    ready = threading.Barrier(count)

    def one(_: int) -> bool:
        ready.wait(timeout=10)
        return ask()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


# --- many processes, one Redis --------------------------------------------------------------------------------------


def together(url: str, count: int, rules: BreakerRules = STEADY) -> list[Breakers]:
    return [Breakers(shared=RedisStates(url), rules=rules) for _ in range(count)]


def test_processes_count_and_open_together_and_one_of_all_probes(
    redis_url: str, machine: MachineTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_EVERY", 0.0)
    several = [Breakers(shared=RedisStates(redis_url), rules=STEADY, now=machine.monotonic) for _ in range(3)]
    for one in (*several, *several[:2]):
        assert one.may_call("x")
        one.report("x", ok=False)
    assert not several[1].may_call("x"), "told by the answer to its own failure"
    assert [one.room(["x"], 9) for one in several] == [{}, {}, {}], "and the third by looking"

    machine.pass_(31)
    assert [one.room(["x"], 9) for one in several] == [{"x": 1}] * 3
    waiting = iter(several * 4)
    assert sum(at_once(12, lambda: next(waiting).may_call("x"))) == 1
    several[2].report("x", ok=True)
    assert [one.room(["x"], 9) for one in several] == [{"x": 9}] * 3
    assert all(one.may_call("x") for one in several)


def test_calls_that_go_well_do_not_ask_redis(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("orchestrator.rate_limits.redis_client.emit", lambda event, **_: told.append(event))
    (breakers,) = together(redis_server.url, 1)
    breakers.report("x", ok=False)
    breakers.report("x", ok=True)
    redis_server.kill()
    for _ in range(50):
        assert breakers.may_call("x")
        breakers.report("x", ok=True)
    assert told == [], "it is gone and nobody noticed"
    breakers.report("x", ok=False)
    assert told == ["redis.unavailable"]


def test_without_redis_each_process_has_its_view_and_tells_it_later(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_EVERY", 0.0)
    monkeypatch.setattr("orchestrator.rate_limits.redis_client.LEFT_ALONE", 0.0)
    long = BreakerRules(failures=5, open_for=600.0, longest=600.0)
    first, second = together(redis_server.url, 2, long)
    redis_server.kill()
    fail(first, 5)
    assert not first.may_call("x")
    assert second.may_call("x")
    assert first.room(["x"], 9) == {}
    redis_server.start()
    assert first.room(["x"], 9) == {}, "its view is not lost when Redis comes back empty"
    assert second.room(["x"], 9) == {}, "and the others hear of it"


def test_a_frozen_redis_holds_nobody_up(redis_server: RedisServer) -> None:
    (breakers,) = together(redis_server.url, 1, RULES)
    with redis_server.frozen():
        began = monotonic()
        fail(breakers, 8)
        assert breakers.room(["x"], 9) == {}
        assert monotonic() - began < 2, "waited for once"


def test_what_another_release_wrote_counts_as_closed(redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.set("orchestrator:breaker:x", '{"colour": "red"}')
    breakers = make_breakers(redis_url)
    assert breakers.room(["x"], 9) == {"x": 9}


# --- deliveries -----------------------------------------------------------------------------------------------------


class _Failing:
    """Answers 503 after a moment, as a provider in trouble does."""

    def __init__(self, inner: Channel, calls: list[str], broken: threading.Event) -> None:
        self.name, self.provider, self._inner = inner.name, inner.provider, inner
        self._calls, self._broken = calls, broken

    def send(self, message: OutboundMessage) -> SendResult:
        self._calls.append(message.message_id)
        if not self._broken.is_set():
            return self._inner.send(message)
        time.sleep(0.01)
        return SendResult(result=SendStatus.UNCERTAIN, provider=self.provider, code="http_503")


class Fleet:
    """Engines as so many processes have them, of a provider that fails."""

    def __init__(self, database_url: str, folder: Path, engines: int, **settings: Any) -> None:
        self.calls: list[str] = []
        self.broken = threading.Event()
        self.broken.set()
        self.scene = open_scene(database_url, folder, start=system_now())
        self.scene.publish_playbooks(one_message("offer"))
        for key in self.scene.people(60):
            self.scene.start(key, "offer")
        self.engines = [
            build_engine(
                settings_of(database_url, send_threads=THREADS, batch_size=40, **settings),
                channels=lambda inner: _Failing(inner, self.calls, self.broken),
            )
            for _ in range(engines)
        ]
        for engine in self.engines:
            engine.delivery.gates.breakers.rules = STEADY

    def deliver_all(self) -> int:
        """Every engine until it finds nothing to do, all at once; how many calls that made."""
        before = len(self.calls)

        with ThreadPoolExecutor(len(self.engines)) as pool:
            list(pool.map(Engine.drain, self.engines))
        return len(self.calls) - before

    def statuses(self) -> dict[str, int]:
        rows = self.scene.rows("SELECT status, count(*) AS count FROM messages GROUP BY status")
        return {row.status: row.count for row in rows}

    def close(self) -> None:
        for engine in (*self.engines, self.scene.engine):
            engine.close()


@contextmanager
def fleet(database_url: str, folder: Path, engines: int, **settings: Any) -> Iterator[Fleet]:
    made = Fleet(database_url, folder / "playbooks", engines, **settings)
    yield made
    made.close()


def test_a_provider_that_fails_burns_a_handful_and_then_one_a_probe(
    database_url: str, tmp_path: Path, machine: MachineTime
) -> None:
    with fleet(database_url, tmp_path, 1) as installed:
        first = installed.deliver_all()
        assert first <= STEADY.failures + THREADS, "what was on the wire when the breaker opened"
        assert installed.statuses() == {"uncertain": first, "planned": 60 - first}
        assert installed.scene.value("SELECT max(attempt) FROM messages WHERE status = 'planned'") == 0
        assert installed.deliver_all() == 0, "while it is open nothing is marked"
        for _ in range(3):
            machine.pass_(31)
            assert installed.deliver_all() == 1
        installed.broken.clear()
        machine.pass_(31)
        installed.deliver_all()
        assert installed.statuses() == {"uncertain": first + 3, "sent": 60 - first - 3}


def test_several_processes_burn_a_handful_together(
    database_url: str, tmp_path: Path, redis_server: RedisServer, machine: MachineTime
) -> None:
    with fleet(database_url, tmp_path, 3, redis_url=redis_server.url) as installed:
        first = installed.deliver_all()
        assert first <= STEADY.failures + 3 * THREADS
        for round_ in range(3):
            machine.pass_(31)
            assert installed.deliver_all() == 1, f"one probe of all processes, round {round_}"
        installed.broken.clear()
        for _ in range(3):  # the probe, and then whoever reads that it went well
            machine.pass_(31)
            installed.deliver_all()
        assert installed.statuses() == {"uncertain": first + 3, "sent": 60 - first - 3}


def test_a_message_given_back_has_used_no_attempt_even_its_last(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene: Scene = open_scene(database_url, tmp_path / "playbooks")
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.start("anna", "offer")
    scene.engine.advance()
    scene.execute("UPDATE messages SET attempt = :most", most=file_results.MOST_ATTEMPTS - 1)
    monkeypatch.setattr(deliver.ProviderGates, "may_call", lambda *_: False)
    scene.engine.deliver()
    assert scene.given == []
    (row,) = scene.rows("SELECT status, attempt, handed_at FROM messages")
    assert tuple(row) == ("planned", file_results.MOST_ATTEMPTS - 1, None)
    monkeypatch.undo()
    scene.let_pass(seconds=1)
    assert scene.spoken() == [("anna", "email")]
    scene.close()


def test_a_function_that_wants_one_call_later_holds_no_other_up(database_url: str, tmp_path: Path) -> None:
    called: list[str] = []

    def later(call: FunctionCall) -> None:
        called.append(call.customer)
        if call.customer == "p000":
            raise TryAgainError(600)

    steps = "  do: {call: {function: later}, then: {done: done, failed: done}}\n  done: {end: finished}\n"
    scene = open_scene(database_url, tmp_path / "playbooks")
    engine = build_engine(settings_of(database_url), clock=scene.clock, functions={"later": later})
    scene = replace(scene, engine=engine)
    scene.publish_playbooks(playbook("calls", steps))
    for key in scene.people(3):
        scene.start(key, "calls")
        scene.drain()
    assert called == ["p000", "p001", "p002"]
    engine.close()
