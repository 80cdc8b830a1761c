"""``orchestrator worker``: a Celery worker that advances customers and delivers messages."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.processes.celery_process import become

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
    become("worker", ["--concurrency", str(concurrency), *apart])
