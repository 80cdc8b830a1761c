"""``orchestrator replay``: recorded signals through playbooks, each at its own instant, on a virtual clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.opening import database_url, load_settings
from orchestrator.cli.output import Json
from orchestrator.cli.playbooks.paths import asked_for
from orchestrator.cli.playbooks.rehearsal_options import Seed, Tick, tick_of
from orchestrator.cli.playbooks.report_view import tell
from orchestrator.cli.progress import virtual_days
from orchestrator.simulator import rehearse
from orchestrator.simulator.playbook_subset import staged
from orchestrator.simulator.rehearse import Rehearsal
from orchestrator.simulator.signal_files import read_signals
from orchestrator.store.scratch import scratch_database

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Signals as JSON lines (.jsonl) or CSV (.csv).")],
    playbook: Annotated[
        Path | None,
        typer.Argument(
            help="A playbook's folder or name, or a folder of playbooks; default: ORCHESTRATOR_PLAYBOOKS.",
            show_default=False,
        ),
    ] = None,
    *,
    after: Annotated[
        int, typer.Option("--after", min=0, help="Virtual days to go on after the last signal.")
    ] = 30,
    react: Annotated[
        bool, typer.Option("--react", help="Invented people answer the messages; otherwise nobody does.")
    ] = False,
    seed: Seed = 1,
    tick: Tick = "1h",
    as_json: Json = False,
) -> None:
    """Play recorded signals through playbooks and report what would have been sent.

    A line: {"customer": "c-1", "at": "2026-03-01T09:00:00Z", "event": "usage_reported", "properties": {"seats": 4}}
    or {"customer": "c-1", "at": "...", "traits": {"plan": "team"}}. In CSV, columns beside customer, at, event, id and
    account are properties. Works in a scratch database, dropped at the end; nobody is contacted.
    """
    settings = load_settings()
    facts = read_signals(file)
    instants = [fact.occurred_at for fact in facts if fact.occurred_at]
    begin = min(instants).replace(minute=0, second=0, microsecond=0)
    folder, names = asked_for(playbook or settings.playbooks, settings.playbooks)
    with staged(folder, names) as chosen, scratch_database(database_url(settings)) as url:
        asked = Rehearsal(
            folder=chosen,
            start=begin,
            end=max(instants) + timedelta(days=after),
            seed=seed,
            tick=tick_of(tick),
        )
        with virtual_days(asked.start, asked.end, "replaying") as watch:
            world, report = rehearse.replay(url, asked, facts, react=react, watch=watch)
        world.close()
    tell(report, as_json=as_json)
