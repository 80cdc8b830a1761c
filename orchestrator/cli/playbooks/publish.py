"""``orchestrator publish``: checked playbooks become versions that never change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import load_settings, open_engine
from orchestrator.cli.output import Json, note, print_json, say
from orchestrator.cli.playbooks.paths import find

app = typer.Typer(add_completion=False)


@app.command()
def publish(
    folder: Annotated[
        Path | None,
        typer.Argument(help="A folder of playbooks; default: ORCHESTRATOR_PLAYBOOKS.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a folder of playbooks and store what is new in it.

    Nothing is stored when anything is wrong: exit code 1, all problems printed. Writes to ORCHESTRATOR_DATABASE_URL.
    """
    settings = load_settings()
    chosen = folder or settings.playbooks
    found = find([chosen])
    if found.errors:
        if as_json:
            print_json({"published": [], "problems": found.problems})
        else:
            for problem in found.problems:
                say(str(problem))
            note(f"nothing was published: {found.errors} errors")
        raise typer.Exit(Exit.NO)
    stored = open_engine(settings).publish(chosen)
    if as_json:
        rows = [{"name": name, "version": version, "new": new} for name, version, new in stored]
        print_json({"published": rows, "problems": found.problems})
        return
    for name, version, new in stored:
        say(f"{name} v{version}: {'published' if new else 'unchanged'}")
