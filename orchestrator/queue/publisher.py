"""Publishing wake-ups through Redis or RabbitMQ: it never waits long, never retries, and never fails its caller.

Wake-ups are coalesced: as long as one of a kind waits in its queue, another would tell nothing new. The mark that one
waits is taken away by the task *before* it looks at the database, so whatever was committed before a wake-up was left
out is seen by the one that stands for it. The mark ends by itself, should its wake-up be lost.
"""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from typing import Any, cast

import redis
from celery import Celery
from kombu.entity import Exchange, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from orchestrator.clock import monotonic
from orchestrator.queue.wakes import QUEUES, TASKS, Wake
from orchestrator.settings import Settings
from orchestrator.telemetry import emit

PATIENCE = 0.4  # seconds one answer of Redis is waited for; a wake-up needs two of them
_AMQP_PATIENCE = 1.0  # greeting RabbitMQ takes half a dozen answers
COALESCED_FOR = 3.0  # seconds after which a wake-up that was never taken from its queue is given up
ENOUGH = 20  # wake-ups in a queue that nobody empties: more would only fill the broker's memory
_PREFIX = "orchestrator:"
_TOLD_EVERY = 30.0  # seconds between two log lines about the same outage


def is_redis(url: str) -> bool:
    return url.startswith("redis")


def queues() -> tuple[Queue, ...]:
    """The queues, as every process declares them. On RabbitMQ they hold no more hints than are of use."""
    return tuple(
        Queue(  # type: ignore[no-untyped-call]
            name,
            Exchange(name, type="direct"),  # type: ignore[no-untyped-call]
            routing_key=name,
            max_length=ENOUGH * 5,
            queue_arguments={"x-overflow": "drop-head"},
        )
        for name in sorted(set(QUEUES.values()))
    )


def connection_settings(url: str, *, socket_timeout: float) -> dict[str, Any]:
    """The part of Celery's settings that says how the broker is reached: the same for publishers and workers."""
    return {
        "broker_transport_options": _redis(socket_timeout) if is_redis(url) else _amqp(socket_timeout),
        "broker_use_ssl": _verified(url),
    }


def _redis(socket_timeout: float) -> dict[str, Any]:
    return {
        "global_keyprefix": _PREFIX,  # other users of this Redis keep their own unacknowledged messages
        "visibility_timeout": 300,  # tasks are acknowledged when they begin; this only bounds a killed prefetch
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": socket_timeout,  # without it a publish on a dead link waits for ever
        "socket_connect_timeout": min(socket_timeout, 2.0),
        "socket_keepalive": True,
        "health_check_interval": 15,
        "max_retries": 0,  # the transport's own retries would make a refused connection take six seconds
    }


def _amqp(socket_timeout: float) -> dict[str, Any]:
    return {
        "connect_timeout": socket_timeout,
        "read_timeout": None if socket_timeout > 1 else socket_timeout,  # a consumer waits as long as it must
        "write_timeout": socket_timeout,
        "max_retries": 0,
    }


def _verified(url: str) -> dict[str, Any] | None:
    """Certificates are checked; left to itself the Redis transport accepts any."""
    if url.startswith("rediss") and "ssl_cert_reqs" not in url:
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    if url.startswith("amqps"):
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
    return None


@dataclass(kw_only=True)
class Counts:
    """What became of the wake-ups of one process."""

    published: int = 0
    coalesced: int = 0
    dropped: int = 0


class Publisher:
    """Puts wake-ups onto the broker. One per process and thread-safe; built anew after a fork."""

    def __init__(self, settings: Settings) -> None:
        if settings.broker is None:
            msg = "a Publisher needs settings with a broker"
            raise ValueError(msg)
        self._url = settings.broker
        self._marks = _Marks(self._url if is_redis(self._url) else settings.redis, same=is_redis(self._url))
        self._lock = threading.Lock()
        self._app: Celery | None = None
        self._told = -_TOLD_EVERY
        self.counts = Counts()

    @property
    def coalesces(self) -> bool:
        """Whether processes know of each other's waiting wake-ups."""
        return self._marks.shared

    def wake(self, wake: Wake) -> bool:
        """Publish unless one such wake-up waits already. False: the broker cannot be had, which is counted."""
        with self._lock:
            marked = False
            try:
                marked = self._marks.set(wake)
                if not marked:
                    self.counts.coalesced += 1
                    return True
                self._publish(wake)
            except Exception as error:  # noqa: BLE001 - of many libraries; a lost hint must fail nobody
                self._failed(error)
                if marked:
                    self._marks.clear(wake)
                return False
            self.counts.published += 1
            return True

    def begun(self, wake: Wake) -> None:
        """A task of this kind is about to look: whatever is committed from now on needs a new wake-up."""
        self._marks.clear(wake)

    def close(self) -> None:
        with self._lock:
            self._forget()
            self._marks.close()

    def _publish(self, wake: Wake) -> None:
        if self._app is None:
            self._app = _publishing_app(self._url)
        self._app.send_task(TASKS[wake], queue=QUEUES[wake], ignore_result=True, retry=False)

    def _failed(self, error: Exception) -> None:
        self.counts.dropped += 1
        self._forget()  # its connections may be half dead
        if monotonic() - self._told >= _TOLD_EVERY:
            self._told = monotonic()
            emit("broker.unavailable", error=type(error).__name__, dropped=self.counts.dropped)

    def _forget(self) -> None:
        app, self._app = self._app, None
        if app is not None:
            app.close()


def _publishing_app(url: str) -> Celery:
    patience = PATIENCE if is_redis(url) else _AMQP_PATIENCE
    app = Celery("orchestrator", broker=url, set_as_current=False)
    app.conf.update(
        task_queues=queues(),
        task_create_missing_queues=False,
        task_serializer="json",
        task_ignore_result=True,
        task_publish_retry=False,
        broker_pool_limit=1,
        broker_pool_acquire_timeout=PATIENCE,
        broker_connection_timeout=patience,
        broker_heartbeat=0,  # nobody would send them between two wake-ups, and RabbitMQ would hang up
        **connection_settings(url, socket_timeout=patience),
    )
    return app


class _Marks:
    """Which wake-ups wait in their queues, as far as is known: in Redis when there is one, else unknown.

    ``same``: this Redis is the broker too, so its absence is the broker's, and its queues can be measured.
    """

    def __init__(self, url: str | None, *, same: bool) -> None:
        self._same = same
        self._client = (
            redis.Redis.from_url(
                url,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                health_check_interval=15,
                retry=Retry(NoBackoff(), 0),
            )
            if url
            else None
        )

    @property
    def shared(self) -> bool:
        return self._client is not None

    def set(self, wake: Wake) -> bool:
        """Mark one as waiting; False when one waits already, or when too many wait for anybody to be there."""
        if self._client is None:
            return True
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.set(_mark(wake), 1, nx=True, px=int(COALESCED_FOR * 1000))
                pipeline.llen(_PREFIX + QUEUES[wake])
                fresh, waiting = pipeline.execute()
        except redis.RedisError:
            if self._same:
                raise
            return True
        return bool(fresh) and not (self._same and cast(int, waiting) >= ENOUGH)

    def clear(self, wake: Wake) -> None:
        if self._client is None:
            return
        try:
            self._client.delete(_mark(wake))
        except redis.RedisError:
            return  # the mark ends by itself

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def _mark(wake: Wake) -> str:
    return f"{_PREFIX}waiting:{wake}"
