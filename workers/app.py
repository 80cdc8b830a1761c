"""The Celery application: every setting with its reason. ``celery --app workers.app worker|beat``.

Celery is a way to wake processes on many machines, no more: all state is in PostgreSQL, which hands out work under
locks. So any number of workers and beats may run, and a message may be lost or doubled without harm.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from celery.beat import Service
from celery.signals import beat_init, setup_logging, worker_ready, worker_shutting_down

from orchestrator import telemetry
from orchestrator.queue.publisher import connection_settings, queues
from orchestrator.queue.wakes import QUEUES, TASKS
from orchestrator.settings import Settings, load_settings
from workers.beat import SCHEDULE

SECONDS_OF_GRACE = 90  # a batch under way when the slice ends: statements of 15 s, calls of 10 s, filing


def make_app(settings: Settings) -> Celery:
    """An application over these settings; without a broker it can be looked at and not run."""
    app = Celery("orchestrator", broker=settings.broker, include=["workers.tasks", "workers.heartbeat"])
    app.conf.update(celery_settings(settings))
    return app


def celery_settings(settings: Settings) -> dict[str, Any]:
    """What this software tells Celery. ``drain_seconds`` is the time slice of one task."""
    broker = settings.broker or "redis://127.0.0.1/0"
    slice_and_grace = int(settings.drain_seconds) + SECONDS_OF_GRACE
    return {
        # --- what travels: names of tasks, and nothing that a broker could lose
        "task_ignore_result": True,  # nobody waits for an answer; results are a known class of leaks
        "task_store_eager_result": False,
        "result_expires": None,  # no results, so beat has none to clean up
        "task_serializer": "json",
        "accept_content": ["json"],  # never pickle: whoever writes to the broker would run code here
        "task_queues": queues(),  # walks, messages and care apart: a worker may be given one kind with -Q
        "task_routes": {TASKS[wake]: {"queue": queue} for wake, queue in QUEUES.items()},
        "task_default_queue": QUEUES["sweep"],
        "task_create_missing_queues": False,  # a misspelt -Q is an error, not a queue that nobody fills
        "worker_send_task_events": False,  # a page about tasks would tell nothing about customers
        "enable_utc": True,
        # --- at most once is enough: the sweep finds whatever a lost message stood for
        "task_acks_late": False,  # redelivery would add doubles and nothing else
        "task_reject_on_worker_lost": False,
        "task_publish_retry": False,  # a hint that cannot leave now is not worth waiting for
        # --- one process, one task: who holds no task can take the next wake-up
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": broker.startswith("redis"),  # Redis only; elsewhere the multiplier does it
        "worker_eta_task_limit": 10,  # nothing here is ever scheduled in the broker; this is a tripwire
        # --- bounds: tasks end themselves when their slice is over, this ends those that hang
        "task_time_limit": slice_and_grace,  # the message on the wire is then uncertain, not lost
        "task_soft_time_limit": None,  # an exception at any line of a hand-over would be one more fault
        "worker_max_tasks_per_child": 10_000,  # some hours of work; slow leaks of libraries end there
        "worker_max_memory_per_child": 500_000,  # kilobytes, asked between two tasks
        # --- the broker goes away and comes back
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # for ever: a worker that gave up would need a person
        "broker_connection_timeout": 2,
        "broker_pool_acquire_timeout": 1,  # the default is to wait for ever
        "broker_heartbeat": 30,  # RabbitMQ: a half-open link is noticed within a minute
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the work is not the broker's
        **connection_settings(broker, socket_timeout=5),
        # --- ending
        "worker_soft_shutdown_timeout": 20,  # SIGTERM waits for tasks anyway; SIGQUIT waits this long
        # --- logs are ours (see orchestrator.telemetry)
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # --- beat
        "beat_schedule": SCHEDULE,
        "beat_scheduler": "workers.beat:Waker",  # in memory, through the same coalescing as every wake-up
        "beat_max_loop_interval": 1,  # seconds; the sweep's own beat
    }


def _set_up_logging(**_: Any) -> None:
    settings = load_settings()
    telemetry.configure(format=settings.log_format, level=settings.log_level)
    for chatty in ("celery.worker.strategy", "celery.app.trace", "celery.beat", "kombu", "amqp"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # a line for every wake-up would be all there is


def _say_started(sender: object = None, **_: Any) -> None:
    role = "beat" if isinstance(sender, Service) else "worker"
    telemetry.emit("process.started", role=role, **load_settings().told())


def _say_stopping(sig: str = "", **_: Any) -> None:
    telemetry.emit("process.stopping", role="worker", reason=sig)


setup_logging.connect(_set_up_logging, weak=False)
worker_ready.connect(_say_started, weak=False)
worker_shutting_down.connect(_say_stopping, weak=False)
beat_init.connect(_say_started, weak=False)
app = make_app(load_settings())
