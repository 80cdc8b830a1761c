"""``orchestrator check``: everything wrong with playbooks, before anybody is written to. Needs no database."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.exits import Exit
from orchestrator.cli.output import Json, note, print_json, say
from orchestrator.cli.playbooks.paths import FoundPlaybooks, Paths, find

app = typer.Typer(add_completion=False)


@app.command()
def check(
    paths: Paths = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    as_json: Json = False,
) -> None:
    """Read playbooks and print every problem as path:line:column: message.

    Exit code 0 when they may be published, 1 when they may not. Works without a database.
    """
    found = find(paths)
    if as_json:
        print_json(_plain(found))
    else:
        for problem in found.problems:
            say(str(problem))
        note(_summary(found))
    if found.errors or (strict and found.warnings):
        raise typer.Exit(Exit.NO)


def _summary(found: FoundPlaybooks) -> str:
    names = ", ".join(bundle.name for bundle in found.bundles) or "nothing"
    return f"checked {names}: {found.errors} errors, {found.warnings} warnings"


def _plain(found: FoundPlaybooks) -> dict[str, object]:
    return {
        "ok": not found.errors,
        "playbooks": [
            {
                "name": bundle.name,
                "version": bundle.playbook.version if bundle.playbook else None,
                "path": str(bundle.path),
                "ok": bundle.ok,
            }
            for bundle in found.bundles
        ],
        "problems": found.problems,
    }
