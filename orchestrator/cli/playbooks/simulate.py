"""``orchestrator simulate``: a crowd walks through playbooks on a virtual clock, with the real engine."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.opening import database_url, load_settings
from orchestrator.cli.output import Json
from orchestrator.cli.playbooks.paths import asked_for
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
from orchestrator.cli.progress import virtual_days
from orchestrator.simulator import rehearse
from orchestrator.simulator.playbook_subset import staged
from orchestrator.simulator.rehearse import Rehearsal
from orchestrator.store.scratch import scratch_database

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    playbook: Annotated[
        Path,
        typer.Argument(
            help="A playbook's folder, its name in ORCHESTRATOR_PLAYBOOKS, or a folder of playbooks."
        ),
    ],
    *,
    customers: Customers = 200,
    days: Days = 60,
    seed: Seed = 1,
    start: From = FIRST_DAY,
    tick: Tick = "1h",
    as_json: Json = False,
) -> None:
    """Rehearse a playbook: invented customers, real engine, sandbox channels, virtual time.

    Works in a scratch database on the server of ORCHESTRATOR_DATABASE_URL (or the embedded one), dropped at the end.
    Nobody is contacted. Exit code 1 when the playbook has errors or an invariant breaks.
    """
    settings = load_settings()
    begin = first_day(start)
    folder, names = asked_for(playbook, settings.playbooks)
    with staged(folder, names) as chosen, scratch_database(database_url(settings)) as url:
        asked = Rehearsal(
            folder=chosen, start=begin, end=begin + timedelta(days=days), seed=seed, tick=tick_of(tick)
        )
        with virtual_days(asked.start, asked.end, "simulating") as watch:
            world, report = rehearse.simulate(url, asked, customers=customers, watch=watch)
        world.close()
    tell(report, as_json=as_json)
