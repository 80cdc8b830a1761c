"""Celery's settings: those that keep the laws, as Celery itself has read them."""

from __future__ import annotations

import ssl

import pytest
from pydantic import SecretStr

from orchestrator.queue.wakes import QUEUES, TASKS, WAKES
from orchestrator.settings import Settings
from workers.app import make_app

REDIS = "redis://127.0.0.1:6379/0"
RABBIT = "amqp://guest:guest@127.0.0.1:5672//"


def settings(broker: str = REDIS, **more: object) -> Settings:
    return Settings(broker_url=SecretStr(broker), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("broker", [REDIS, RABBIT])
def test_a_message_is_a_hint_and_no_more(broker: str) -> None:
    conf = make_app(settings(broker)).conf
    assert conf.task_ignore_result is True
    assert conf.task_acks_late is False
    assert conf.accept_content == ["json"]
    assert conf.task_soft_time_limit is None
    assert conf.broker_connection_max_retries is None


def test_a_task_may_run_longer_than_its_slice_and_is_ended_some_time_after() -> None:
    assert make_app(settings(drain_seconds=60)).conf.task_time_limit >= 120
    assert make_app(settings(drain_seconds=1)).conf.task_time_limit < 120


def test_every_wake_up_has_a_task_a_queue_and_a_route() -> None:
    app = make_app(settings())
    app.loader.import_default_modules()
    declared = {queue.name for queue in app.conf.task_queues}
    for wake in WAKES:
        assert TASKS[wake] in app.tasks
        assert app.amqp.router.route({}, TASKS[wake])["queue"].name == QUEUES[wake]
        assert QUEUES[wake] in declared


def test_beat_wakes_by_the_second_and_scans_by_the_minute() -> None:
    schedule = make_app(settings()).conf.beat_schedule
    assert {entry["task"] for entry in schedule.values()} == {TASKS["sweep"], TASKS["scan"]}
    assert schedule["sweep"]["schedule"].total_seconds() == 1
    assert schedule["scan"]["schedule"].total_seconds() <= 600


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        ("rediss://cache.example.test:6380/0", {"ssl_cert_reqs": ssl.CERT_REQUIRED}),
        (
            "amqps://user:password@queue.example.test//",
            {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None},
        ),
    ],
)
def test_an_encrypted_broker_must_show_a_certificate(broker: str, expected: dict[str, object]) -> None:
    assert make_app(settings(broker)).conf.broker_use_ssl == expected


def test_a_redis_is_shared_without_meeting_others() -> None:
    options = make_app(settings()).conf.broker_transport_options
    assert options["global_keyprefix"] == "orchestrator:"
    assert options["socket_timeout"] <= 5
