"""``orchestrator demo``: sixty days of a small company in seconds, then the pages to look at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer
from fastapi import FastAPI
from pydantic import SecretStr

from orchestrator.bootstrap import build_engine
from orchestrator.cli.opening import embedded, load_settings
from orchestrator.cli.output import Json, note, say
from orchestrator.cli.playbooks.rehearsal_options import (
    FIRST_DAY,
    Customers,
    Days,
    From,
    Seed,
    Tick,
    first_day,
    tick_of,
)
from orchestrator.cli.playbooks.report_view import tell
from orchestrator.cli.processes.web_server import free_port, login_url, serve
from orchestrator.cli.progress import virtual_days
from orchestrator.engine import Engine
from orchestrator.settings import Settings
from orchestrator.simulator.playbook_subset import staged
from orchestrator.simulator.rehearse import Rehearsal, simulate
from orchestrator.store.reports.rehearsals.report import Report
from orchestrator.store.scratch import make_database
from orchestrator.store.sql.connections import without_password

app = typer.Typer(add_completion=False)

DATABASE = "orchestrator_demo"


@app.command()
def demo(
    *,
    customers: Customers = 200,
    days: Days = 60,
    seed: Seed = 1,
    start: From = FIRST_DAY,
    tick: Tick = "3h",
    serves: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Show the pages afterwards, until Ctrl-C.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Walk invented customers through the playbooks of ORCHESTRATOR_PLAYBOOKS, print what came of it, and serve it.

    Needs nothing but Python: an embedded PostgreSQL, the real engine, sandbox channels, virtual time. Nobody is
    contacted. The database (orchestrator_demo) stays until the next demo. Exit code 1 when an invariant breaks.
    """
    settings = load_settings()
    server = embedded(settings)
    given = settings.database_url
    begin = first_day(start)
    asked = Rehearsal(
        folder=settings.playbooks,
        start=begin,
        end=begin + timedelta(days=days),
        seed=seed,
        tick=tick_of(tick),
    )
    try:
        url = make_database(given.get_secret_value() if given else server.start(), DATABASE, replace=True)
        local = _local(settings, url)
        report = _rehearse(local, url, asked, customers)
        tell(report, as_json=as_json)
        if serves:
            engine = build_engine(local)
            serve(engine, local, started=lambda made: _guide(made, engine, local))
        else:
            note(f"the database stays until the next demo: {without_password(url)}")
    finally:
        if server.started_here:
            server.stop()


def _local(settings: Settings, url: str) -> Settings:
    """This machine alone: a port that is free, links that lead there, no provider and no broker."""
    port = free_port("127.0.0.1", settings.port)
    return Settings(
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        data_dir=settings.data_dir,
        playbooks=settings.playbooks,
        log_level="warning",
        database_url=SecretStr(url),
        secret_keys=tuple(SecretStr(key) for key in settings.signing_keys()),
    )


def _rehearse(local: Settings, url: str, asked: Rehearsal, customers: int) -> Report:
    with (
        staged(local.playbooks) as folder,
        virtual_days(asked.start, asked.end, f"{(asked.end - asked.start).days} days") as watch,
    ):
        staged_there = replace(asked, folder=folder)
        world, report = simulate(url, staged_there, customers=customers, settings=local, watch=watch)
    world.hand_over_clock()
    world.close()
    return report


def _guide(made: FastAPI, engine: Engine, local: Settings) -> None:
    """What to open first."""
    seen = engine.reports.notable_customers()
    say("")
    say(f"Open the dashboard     {login_url(made, local)}")
    base = local.base_url
    if seen.playbook:
        say(f"  a playbook, drawn    {base}/playbooks/{seen.playbook}")
    if seen.reader:
        say(f"  somebody's timeline  {base}/customers/{seen.reader.key}")
        say(f"  messages received    {base}/customers/{seen.reader.key}/inbox")
        say(f"  opt-out link         {engine.links.opt_out_url(seen.reader.id)}")
        say(f"  preferences          {engine.links.preferences_url(seen.reader.id)}")
    if seen.in_product:
        say(f"  inside the product   {base}/customers/{seen.in_product.key}/product")
    if seen.gone:
        say(f"  who opted out        {base}/customers/{seen.gone.key}")
    say("Ctrl-C ends it.")
