"""What an error means to a loop that must go on, whichever library it is of."""

from __future__ import annotations

import amqp
import billiard.exceptions
import kombu.exceptions
import pytest
import redis
from celery.exceptions import CeleryError
from structlog.testing import capture_logs

from orchestrator.errors import Contended, SchemaMismatch, StoreError, TimedOut, Unavailable, ValueRefused
from orchestrator.queue.rounds import guarded
from workers import tasks


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (Unavailable("x"), "database.unavailable"),
        (TimedOut("x"), "database.unavailable"),
        (Contended("x"), "batch.failed"),
        (ValueRefused("x"), "batch.failed"),
        (SchemaMismatch("x"), "batch.failed"),
        (StoreError("x"), "batch.failed"),
        (kombu.exceptions.OperationalError("x"), "broker.unavailable"),
        (kombu.exceptions.LimitExceeded("x"), "broker.unavailable"),
        (amqp.exceptions.ConnectionForced("x"), "broker.unavailable"),
        (amqp.exceptions.RecoverableConnectionError("x"), "broker.unavailable"),
        (billiard.exceptions.WorkerLostError("x"), "broker.unavailable"),
        (CeleryError("x"), "broker.unavailable"),
        (redis.ConnectionError("x"), "redis.unavailable"),
        (redis.TimeoutError("x"), "redis.unavailable"),
        (redis.exceptions.BusyLoadingError("x"), "redis.unavailable"),
        (redis.exceptions.ReadOnlyError("x"), "redis.unavailable"),
        (redis.exceptions.OutOfMemoryError("x"), "redis.unavailable"),
        (ZeroDivisionError("x"), "batch.failed"),
        (OSError("x"), "batch.failed"),
        (MemoryError("x"), "batch.failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_an_error_is_told_by_what_it_means_and_ends_no_loop(error: Exception, event: str) -> None:
    def fails() -> int:
        raise error

    with capture_logs() as told:
        assert guarded("sweep", fails) == (False, None)
        assert tasks._reaching(fails) is None
    assert [line["event"] for line in told] == [event, event]
    assert all(line["error"] == type(error).__name__ for line in told)


def test_what_goes_well_is_answered() -> None:
    assert guarded("sweep", lambda: 3) == (True, 3)
