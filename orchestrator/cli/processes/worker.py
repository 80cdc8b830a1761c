"""``orchestrator worker``: a Celery worker that advances customers and delivers messages."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.processes.celery_process import become
from orchestrator.ids import new_key

app = typer.Typer(add_completion=False)


@app.command()
def worker(
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency",
            "-c",
            min=1,
            max=64,
            envvar="ORCHESTRATOR_CONCURRENCY",
            help="Processes of this worker.",
        ),
    ] = 2,
) -> None:
    """Work until told to stop; any number of these may run, on any number of machines.

    Needs ORCHESTRATOR_BROKER_URL and ORCHESTRATOR_DATABASE_URL. Exit code 2 when one is missing, 3 when the
    database is away.
    """
    apart = ["--without-gossip", "--without-mingle"]  # workers need not know of each other
    # On RabbitMQ a name is a queue of its owner's alone: a second worker of a machine needs its own, and so does the
    # one that follows a worker that was killed, whose queue lives on for a while.
    name = f"{new_key()[:12]}@%h"
    become("worker", ["--hostname", name, "--concurrency", str(concurrency), *apart])
