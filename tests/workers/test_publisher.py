"""Wake-ups on a real Redis and RabbitMQ: coalesced, quick, and never in their caller's way."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis
from pydantic import SecretStr

from orchestrator.queue import publisher as broker_module
from orchestrator.queue.nudge import LocalWake, RemoteWake, make_nudge
from orchestrator.queue.publisher import ENOUGH, Publisher
from orchestrator.queue.wakes import QUEUES, TASKS
from orchestrator.settings import Settings
from tests.support.installation import eventually
from tests.support.rabbitmq import own_virtual_host
from tests.support.redis_server import RedisServer
from tests.support.services import free_port


def settings(url: str, **more: str) -> Settings:
    return Settings(broker_url=SecretStr(url), **{name: SecretStr(value) for name, value in more.items()})


@contextmanager
def publishing(url: str, **more: str) -> Iterator[Publisher]:
    made = Publisher(settings(url, **more))
    yield made
    made.close()


@contextmanager
def nudging(url: str) -> Iterator[RemoteWake]:
    made = make_nudge(settings(url))
    assert isinstance(made, RemoteWake)
    yield made
    made.close()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Generous to a busy machine, yet less than what a client of Redis or RabbitMQ waits for of its own accord."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def is_no_wait(call: Callable[[], object]) -> None:
    """The quickest of a few calls: a busy machine makes some of them late, and waiting makes all of them late."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        call()
        took.append(time.monotonic() - began)
    assert min(took) < 0.1


def waiting(server: RedisServer, wake: str) -> list[str]:
    """The names of the tasks in a queue, as they lie in Redis."""
    with redis.Redis.from_url(server.url) as client:
        found = client.lrange(f"orchestrator:{QUEUES[wake]}", 0, -1)  # type: ignore[index]
    return [json.loads(message)["headers"]["task"] for message in found]  # type: ignore[union-attr]


def test_a_wake_up_is_a_task_by_name_with_nothing_in_it(redis_server: RedisServer) -> None:
    with publishing(redis_server.url) as publisher:
        assert publisher.wake("deliver")
    with redis.Redis.from_url(redis_server.url) as client:
        (message,) = client.lrange("orchestrator:orchestrator.messages", 0, -1)  # type: ignore[misc]
    headers = json.loads(message)["headers"]
    assert headers["task"] == TASKS["deliver"]
    assert (headers["argsrepr"], headers["kwargsrepr"]) == ("()", "{}")
    assert headers["eta"] is None


def test_while_one_waits_another_would_tell_nothing_new(redis_server: RedisServer) -> None:
    with publishing(redis_server.url) as here, publishing(redis_server.url) as elsewhere:
        assert all(
            [here.wake("advance"), elsewhere.wake("advance"), here.wake("advance"), here.wake("deliver")]
        )
        assert waiting(redis_server, "advance") == [TASKS["advance"]]
        assert waiting(redis_server, "deliver") == [TASKS["deliver"]]
        assert (here.counts.published, here.counts.coalesced, elsewhere.counts.coalesced) == (2, 1, 1)


def test_once_the_task_has_begun_to_look_the_next_wake_up_is_published(redis_server: RedisServer) -> None:
    with publishing(redis_server.url) as publisher:
        publisher.wake("advance")
        publisher.begun("advance")
        publisher.wake("advance")
    assert len(waiting(redis_server, "advance")) == 2


def test_a_lost_wake_up_holds_the_next_one_back_for_a_moment_only(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "COALESCED_FOR", 0.05)
    with publishing(redis_server.url) as publisher:
        publisher.wake("advance")
        with redis.Redis.from_url(redis_server.url) as client:
            client.delete("orchestrator:orchestrator.enrollments")
        eventually(lambda: publisher.wake("advance") and waiting(redis_server, "advance"), seconds=30)


def test_a_queue_that_nobody_empties_does_not_grow(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "COALESCED_FOR", 0.001)
    with publishing(redis_server.url) as publisher:
        for _ in range(ENOUGH * 20):
            publisher.wake("sweep")
    assert len(waiting(redis_server, "sweep")) == ENOUGH


def test_a_refused_broker_costs_no_caller_anything_and_is_counted() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    with publishing(url) as publisher, at_most(4.0):
        assert not publisher.wake("advance")
        assert publisher.counts.dropped == 1
    with nudging(url) as nudge:
        is_no_wait(nudge)
        eventually(lambda: nudge.sender and nudge.sender.counts.dropped, seconds=30)  # type: ignore[attr-defined]


def test_a_frozen_broker_costs_no_caller_anything_and_is_counted(redis_server: RedisServer) -> None:
    with publishing(redis_server.url) as publisher, nudging(redis_server.url) as nudge:
        publisher.wake("advance")
        publisher.begun("advance")
        with redis_server.frozen():
            with at_most(4.0):
                assert not publisher.wake("advance")
            is_no_wait(nudge)
            with at_most(4.0):
                nudge.close(1.0)
        assert publisher.counts.dropped == 1


def test_what_comes_back_is_used_again(redis_server: RedisServer) -> None:
    with publishing(redis_server.url) as publisher:
        publisher.wake("advance")
        publisher.begun("advance")
        redis_server.kill()
        assert not publisher.wake("advance")
        redis_server.start()
        assert publisher.wake("advance")
    assert waiting(redis_server, "advance") == [TASKS["advance"]]


def test_an_emptied_broker_is_published_to_as_before(redis_server: RedisServer) -> None:
    with publishing(redis_server.url) as publisher:
        publisher.wake("advance")
        redis_server.empty()
        publisher.wake("advance")
    assert waiting(redis_server, "advance") == [TASKS["advance"]]


def test_many_nudges_are_few_wake_ups_and_the_last_is_never_forgotten(redis_server: RedisServer) -> None:
    with nudging(redis_server.url) as nudge, publishing(redis_server.url) as task:
        with at_most(4.0):
            for _ in range(1000):
                nudge()
        assert nudge.flush(30)
        before = len(waiting(redis_server, "advance"))
        task.begun("advance")
        nudge()
        assert nudge.flush(30)
        assert 1 <= before <= 3
        assert len(waiting(redis_server, "advance")) == before + 1


def test_a_process_that_ends_at_once_has_still_told(redis_server: RedisServer) -> None:
    program = (
        "from pydantic import SecretStr; from orchestrator.settings import Settings; "
        "from orchestrator.queue.nudge import make_nudge; import sys; "
        "make_nudge(Settings(broker_url=SecretStr(sys.argv[1])))()"
    )
    subprocess.run([sys.executable, "-c", program, redis_server.url], check=True, timeout=60)
    assert waiting(redis_server, "advance") == [TASKS["advance"]]


def test_a_forked_process_nudges_for_itself(redis_server: RedisServer) -> None:
    program = (
        "import os, sys; from pydantic import SecretStr; from orchestrator.settings import Settings; "
        "from orchestrator.queue.nudge import make_nudge\n"
        "nudge = make_nudge(Settings(broker_url=SecretStr(sys.argv[1])))\n"
        "child = os.fork()\n"
        "if child == 0:\n    nudge(); os._exit(0 if nudge.flush(30) else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    subprocess.run([sys.executable, "-c", program, redis_server.url], check=True, timeout=60)
    assert waiting(redis_server, "advance") == [TASKS["advance"]]


def test_without_a_broker_a_nudge_is_an_event_of_this_process() -> None:
    nudge = make_nudge(Settings())
    assert isinstance(nudge, LocalWake)
    nudge()
    assert nudge.event.is_set()


def test_rabbitmq_is_published_to_and_keeps_no_heap_of_hints(rabbitmq_url: str) -> None:
    with own_virtual_host(rabbitmq_url) as url, publishing(url) as publisher:
        for _ in range(ENOUGH * 5 + 50):
            assert publisher.wake("advance")
        assert publisher.counts.dropped == 0
        kept = eventually(lambda: messages_in(url, QUEUES["advance"]), seconds=30)
        assert kept <= ENOUGH * 5


def test_rabbitmq_with_a_redis_beside_it_coalesces_through_that(
    rabbitmq_url: str, redis_server: RedisServer
) -> None:
    with (
        own_virtual_host(rabbitmq_url) as url,
        publishing(url, redis_url=redis_server.url) as here,
        publishing(url, redis_url=redis_server.url) as elsewhere,
    ):
        assert here.wake("advance")
        assert elsewhere.wake("advance")
        assert elsewhere.counts.coalesced == 1
        redis_server.kill()
        assert elsewhere.wake("advance")
        assert elsewhere.counts.published == 1


def test_a_refused_rabbitmq_costs_no_caller_anything() -> None:
    with publishing(f"amqp://guest:guest@127.0.0.1:{free_port()}//") as publisher, at_most(4.0):
        assert not publisher.wake("advance")


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_broker_that_accepts_and_stays_silent_costs_no_caller_anything(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
        with nudging(url) as nudge:
            is_no_wait(nudge)
        with publishing(url) as publisher, at_most(4.0):
            assert not publisher.wake("advance")


def messages_in(url: str, queue: str) -> int:
    from kombu import Connection

    with Connection(url) as connection:
        found: int = connection.default_channel.queue_declare(queue, passive=True).message_count
        return found
