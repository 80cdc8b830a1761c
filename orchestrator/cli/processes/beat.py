"""``orchestrator beat``: wakes the workers every second and for the daily scans."""

from __future__ import annotations

import typer

from orchestrator.cli.processes.celery_process import become

app = typer.Typer(add_completion=False)


@app.command()
def beat() -> None:
    """Wake the workers for whatever is due. Two of these do no harm: a sweep is safe to run twice.

    Needs ORCHESTRATOR_BROKER_URL and ORCHESTRATOR_DATABASE_URL; keeps nothing on disk.
    """
    become("beat", [])
