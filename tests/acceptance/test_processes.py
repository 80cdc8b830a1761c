"""The whole installation as real processes, used over HTTP as a product uses it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import two_mails
from tests.support.installation import Installation, Provider, eventually
from tests.support.judging import judge
from tests.support.rabbitmq import own_virtual_host
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path / "provider.log")
    yield made
    made.close()


@pytest.fixture
def installation(
    tmp_path: Path, database_url: str, redis_server: RedisServer, provider: Provider
) -> Iterator[Installation]:
    """An hour of business time passes in a second."""
    made = Installation(
        tmp_path, database_url=database_url, broker_url=redis_server.url, provider=provider, CLOCK_RATE=3600
    )
    made.publish(two_mails.write(tmp_path / "playbooks"))
    yield made
    made.close()


def start(installation: Installation, customer: str) -> float:
    """Make the customer known and start the playbook for her; how long the second call took."""
    http = installation.http
    traits = {"email": f"{customer}@example.test", "first_name": customer.title()}
    http.post("/v1/identify", json={"userId": customer, "traits": traits}).raise_for_status()
    asked = time.monotonic()
    answer = http.post("/v1/playbooks/two_mails/start", json={"customer": customer})
    took = time.monotonic() - asked
    assert answer.status_code == 201, answer.text
    return took


def mails_to(installation: Installation, customer: str) -> list[str]:
    return [
        entry["fields"]["subject"]
        for entry in installation.provider.sent()
        if entry["to"] == f"{customer}@example.test"
    ]


def click(installation: Installation, customer: str) -> None:
    """SendGrid reports, signed, that the customer clicked her last mail."""
    last = [entry for entry in installation.provider.sent() if entry["to"] == f"{customer}@example.test"][-1]
    done = installation.provider.control(
        "fire/sendgrid", url=f"{installation.url}/webhooks/sendgrid", events=[["click", last["message_id"]]]
    )
    assert done["status"] == 204


def walk_to_the_end(installation: Installation) -> None:
    start(installation, "ada")
    start(installation, "bob")
    eventually(
        lambda: mails_to(installation, "ada") and mails_to(installation, "bob"), about="the first mails"
    )
    click(installation, "ada")
    eventually(lambda: len(installation.ended()) == 2, about="both walks end")
    assert installation.ended() == {"ada": "finished", "bob": "no_conversion"}
    assert mails_to(installation, "ada") == ["Room for your team", "The details"]
    assert mails_to(installation, "bob") == ["Room for your team"]
    assert installation.violations() == []


def test_a_playbook_is_walked_by_web_workers_and_beat_together(installation: Installation) -> None:
    installation.web()
    installation.worker()
    installation.worker()
    installation.beat()
    walk_to_the_end(installation)


def test_without_any_beat_a_start_is_carried_out_at_once(installation: Installation) -> None:
    """The nudge alone: the product's call, one wake-up to walk, one to deliver."""
    installation.web()
    installation.worker()
    start(installation, "ada")
    eventually(lambda: mails_to(installation, "ada"), about="the first mail")
    assert installation.violations() == []


def test_without_a_broker_the_web_process_walks_alone(
    tmp_path: Path, database_url: str, provider: Provider
) -> None:
    alone = Installation(
        tmp_path, database_url=database_url, broker_url=None, provider=provider, CLOCK_RATE=3600
    )
    try:
        alone.publish(two_mails.write(tmp_path / "playbooks"))
        web = alone.web()
        walk_to_the_end(alone)
        assert web.end() == 0
    finally:
        alone.close()


def test_over_rabbitmq_it_is_the_same(
    tmp_path: Path, database_url: str, rabbitmq_url: str, provider: Provider
) -> None:
    with own_virtual_host(rabbitmq_url) as broker_url:
        rabbit = Installation(
            tmp_path, database_url=database_url, broker_url=broker_url, provider=provider, CLOCK_RATE=3600
        )
        try:
            rabbit.publish(two_mails.write(tmp_path / "playbooks"))
            rabbit.web()
            workers = [
                rabbit.worker(),
                rabbit.worker(),
            ]  # each under a name of its own, or the second would end
            for worker in workers:
                worker.expect_log("process.started")
            rabbit.beat()
            walk_to_the_end(rabbit)
            workers[0].kill()
            rabbit.worker().expect_log("process.started")
            workers[1].expect_running()
        finally:
            rabbit.close()


def test_workers_go_on_while_the_broker_is_down_and_when_it_is_back(
    installation: Installation, redis_server: RedisServer
) -> None:
    installation.web()
    installation.worker().expect_log("process.started")
    redis_server.kill()
    took = [start(installation, customer) for customer in ("ada", "bob", "cleo")]
    assert min(took) < 1.0, "nobody waits for a broker"
    eventually(lambda: len(installation.provider.sent()) >= 3, about="three first mails without a broker")
    redis_server.start()
    start(installation, "dora")
    eventually(lambda: mails_to(installation, "dora"), about="a mail with the broker back")
    assert installation.violations() == []


def test_workers_go_on_while_the_broker_is_frozen(
    installation: Installation, redis_server: RedisServer
) -> None:
    installation.web()
    installation.worker().expect_log("process.started")
    with redis_server.frozen():
        took = [start(installation, customer) for customer in ("ada", "bob", "cleo")]
        assert min(took) < 1.0, "nobody waits for a broker"
        eventually(lambda: len(installation.provider.sent()) >= 3, about="three first mails, nobody woken")
    assert installation.violations() == []


def test_an_emptied_broker_and_killed_workers_lose_nothing_and_send_nothing_twice(
    tmp_path: Path, database_url: str, redis_server: RedisServer, provider: Provider
) -> None:
    shop = Installation(
        tmp_path, database_url=database_url, broker_url=redis_server.url, provider=provider, CLOCK_RATE=600
    )
    try:
        shop.publish(two_mails.write(tmp_path / "playbooks", wait="20min"))
        provider.control("faults", kind="slow", service="sendgrid", seconds=0.2, times=None)
        shop.web()
        first = shop.worker()
        shop.beat()
        customers = [f"customer{number}" for number in range(40)]
        for customer in customers[:30]:
            start(shop, customer)
        eventually(lambda: len(provider.sent()) >= 5, about="the first mails leave")
        first.kill()
        redis_server.empty()
        for customer in customers[30:]:
            start(shop, customer)
        shop.worker()
        eventually(lambda: len(shop.ended()) == len(customers), seconds=60, about="every walk ends")
        judge(shop, customers)
    finally:
        shop.close()
