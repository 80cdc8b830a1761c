"""``kill -9`` at random instants, in a running installation; the provider's own ledger is the judge."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.store.migrate import upgrade
from tests.faults.crowd import arriving, names, outcome
from tests.support import two_mails
from tests.support.installation import Installation, Process, Provider, eventually
from tests.support.judging import judge
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.timeout(240)
SEED = int(os.environ.get("ORCHESTRATOR_TEST_SEED", "1"))


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path / "provider.log")
    yield made
    made.close()


def clicking(shop: Installation) -> None:
    """Whoever receives a mail clicks in it, and SendGrid tells both facts at once, in whatever order they arrive."""
    target = f"{shop.url}/webhooks/sendgrid"
    shop.provider.control("auto", sendgrid={"url": target, "events": ["click", "delivered"]})
    shop.provider.control("faults", kind="slow", service="sendgrid", seconds=0.05, times=None)


def all_ended(shop: Installation, customers: list[str]) -> Callable[[], bool]:
    return lambda: len(shop.ended()) == len(customers)


def children(process: Process) -> list[int]:
    """The pool processes of a worker."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


@pytest.mark.long
def test_killed_pool_processes_lose_no_step_and_repeat_no_message(
    tmp_path: Path, database_url: str, redis_server: RedisServer, provider: Provider
) -> None:
    """Two beats, two workers; their processes die again and again, the provider's callbacks race with all of it."""
    shop = Installation(
        tmp_path, database_url=database_url, broker_url=redis_server.url, provider=provider, CLOCK_RATE=600
    )
    customers = names(120)
    killed = 0
    try:
        shop.publish(two_mails.write(tmp_path / "playbooks", wait="20min"))
        shop.web()
        clicking(shop)
        workers = [shop.worker(), shop.worker()]
        shop.beat()
        shop.beat()
        eventually(
            lambda: all(len(children(worker)) >= 2 for worker in workers), about="the workers are there"
        )
        with arriving(shop, customers, seconds=8):
            ends = time.monotonic() + 12
            while time.monotonic() < ends:
                time.sleep(outcome(SEED, killed, low=0.05, high=0.5))
                pids = children(workers[killed % 2])
                if pids:
                    chosen = pids[int(outcome(SEED, -killed, low=0, high=len(pids)))]
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(chosen, signal.SIGKILL)
                        killed += 1
                if killed == 15:
                    workers[0].kill()
                    redis_server.empty()
                    workers[0] = shop.worker()
        assert killed >= 15
        eventually(all_ended(shop, customers), seconds=60, about="every walk ends")
        judge(shop, customers)
        told = {entry["to"] for entry in provider.sent()}
        assert len(told) > len(customers) / 2, "most mails come through all of this"
        assert "finished" in shop.ended().values(), "some clicks were heard"
    finally:
        shop.close()


@pytest.mark.long
def test_a_restarted_postgresql_loses_no_step_and_repeats_no_message(
    tmp_path: Path, redis_server: RedisServer, provider: Provider
) -> None:
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    shop: Installation | None = None
    customers = names(60)
    try:
        upgrade(server.url)
        shop = Installation(
            tmp_path, database_url=server.url, broker_url=redis_server.url, provider=provider, CLOCK_RATE=600
        )
        shop.publish(two_mails.write(tmp_path / "playbooks", wait="20min"))
        shop.web()
        clicking(shop)
        shop.worker()
        shop.beat()
        with arriving(shop, customers, seconds=8):
            for at_least in (5, 25):
                eventually(lambda many=at_least: len(provider.sent()) >= many, about="mails leave")  # type: ignore[misc]
                server.stop()
                server.start()
        eventually(all_ended(shop, customers), seconds=60, about="every walk ends")
        judge(shop, customers)
    finally:
        if shop is not None:
            shop.close()
        server.stop()


def test_a_stopped_worker_that_wakes_up_late_changes_nothing(
    tmp_path: Path, database_url: str, redis_server: RedisServer, provider: Provider
) -> None:
    """SIGSTOP in the middle of hand-overs: others go on, and what it files afterwards is filed once."""
    shop = Installation(
        tmp_path, database_url=database_url, broker_url=redis_server.url, provider=provider, CLOCK_RATE=600
    )
    customers = names(40)
    try:
        shop.publish(two_mails.write(tmp_path / "playbooks", wait="20min"))
        shop.web()
        clicking(shop)
        stopped = shop.worker()
        shop.beat()
        with arriving(shop, customers, seconds=4):
            eventually(lambda: len(provider.sent()) >= 5, about="mails leave")
            os.killpg(stopped.pid, signal.SIGSTOP)
            shop.worker()
        eventually(lambda: len(shop.ended()) >= 10, seconds=40, about="the other worker goes on")
        os.killpg(stopped.pid, signal.SIGCONT)
        eventually(all_ended(shop, customers), seconds=60, about="every walk ends")
        judge(shop, customers)
    finally:
        shop.close()
