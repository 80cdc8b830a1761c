"""(c) The Celery application that a team writes by hand: a task and a transaction a step. Run by a real worker."""

from __future__ import annotations

import os

from celery import Celery
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from benchmarks.two_sends.by_hand_steps import take_step

QUEUE = os.environ.get("BENCHMARK_QUEUE", "by_hand")
app = Celery("by_hand", broker=os.environ.get("BENCHMARK_BROKER_URL", "redis://127.0.0.1:6379/0"))
app.conf.update(
    task_ignore_result=True,
    task_default_queue=QUEUE,
    task_acks_late=True,  # a lost task would be a lost customer
    worker_prefetch_multiplier=16,  # short tasks: the broker is asked less often
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)
_engine = create_engine(os.environ.get("BENCHMARK_DATABASE_URL", "postgresql+psycopg://"), pool_size=1)


@app.task(name="by_hand.begin")  # type: ignore[untyped-decorator]
def begin(first: int, count: int) -> None:
    """What a periodic task does: a task for every run that is due."""
    for run_id in range(first, first + count):
        step.delay(run_id)


@app.task(name="by_hand.step")  # type: ignore[untyped-decorator]
def step(run_id: int) -> None:
    with Session(_engine) as session, session.begin():
        further = take_step(session, run_id)
    if further:
        step.delay(run_id)
