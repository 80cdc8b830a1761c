"""(d) A process that runs the playbook as durable workflows. ``python -m benchmarks.two_sends.durable_worker URL NAME``

Tuned as its documentation says: a step is a transaction of the datasource, so its result is recorded in its commit;
the queue is polled often; each process has an executor id of its own and a pool for its threads.
"""

from __future__ import annotations

import sys

from dbos import DBOS, SetWorkflowID, SQLAlchemyDatasource

from benchmarks.harness.children import serve
from benchmarks.two_sends.by_hand_steps import take_step

AT_ONCE = 16  # workflows a process
POLLED_EVERY = 0.05  # seconds


def main() -> int:
    url, name = sys.argv[1:]
    datasource = SQLAlchemyDatasource.create(url, engine_kwargs={"pool_size": AT_ONCE, "max_overflow": 0})

    @datasource.transaction(isolation_level="READ COMMITTED")
    def step(run_id: int) -> bool:
        return take_step(datasource.sql_session(), run_id)

    @DBOS.workflow()
    def walk(run_id: int) -> None:
        while step(run_id):
            pass

    def load(first: int, count: int) -> None:
        for run_id in range(first, first + count):
            with SetWorkflowID(f"run-{run_id}"):
                DBOS.enqueue_workflow(queue(first), walk, run_id)

    DBOS(
        config={
            "name": "benchmark",
            "system_database_url": url,
            "sys_db_pool_size": AT_ONCE,
            "executor_id": name,
            "application_version": "1",
            "log_level": "ERROR",
            "max_executor_threads": 2 * AT_ONCE,
        }
    )
    DBOS.launch()
    try:
        serve({"load": load, "go": go})
    finally:
        DBOS.destroy()
    return 0


def queue(first: int) -> str:
    """Each load waits in a queue of its own: nobody takes from it before it is registered."""
    return f"playbooks_{first}"


def go(first: int) -> None:
    DBOS.register_queue(queue(first), worker_concurrency=AT_ONCE, polling_interval_sec=POLLED_EVERY)


if __name__ == "__main__":
    sys.exit(main())
