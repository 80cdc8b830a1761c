"""``orchestrator serve``: the web process; without a broker the work runs beside it."""

from __future__ import annotations

from typing import Annotated

import typer
from fastapi import FastAPI

from orchestrator import telemetry
from orchestrator.bootstrap import build_engine
from orchestrator.cli.opening import embedded, load_settings, ready
from orchestrator.cli.output import note
from orchestrator.cli.processes import web_server

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Where to listen.", envvar="ORCHESTRATOR_HOST")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Which port.", envvar="ORCHESTRATOR_PORT", min=1, max=65535)
    ] = None,
) -> None:
    """Serve the API, the customers' pages, the webhooks and the dashboard until Ctrl-C.

    With ORCHESTRATOR_BROKER_URL the work is done by `orchestrator worker` and `orchestrator beat`; without it, by
    threads of this process. Exit code 3 when the database cannot be reached or the port is taken.
    """
    settings = load_settings()
    settings = settings.model_copy(update={"host": host or settings.host, "port": port or settings.port})
    telemetry.configure(format=settings.log_format, level=settings.log_level)
    server = embedded(settings)
    try:
        if settings.database_url is None:
            server.start()
        whole = ready(settings)
        web_server.serve(
            build_engine(whole),
            whole,
            started=lambda made: _tell(made, whole.base_url, web_server.login_url(made, whole)),
        )
    finally:
        if server.started_here:
            server.stop()


def _tell(_made: FastAPI, base: str, login: str) -> None:
    note(f"serving {base}")
    note(f"dashboard {login}")
