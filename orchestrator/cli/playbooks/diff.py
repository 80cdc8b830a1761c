"""``orchestrator diff``: what changed between two versions of a playbook."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli.exits import Exit
from orchestrator.cli.output import Json, out, print_json, say
from orchestrator.cli.playbooks.paths import find
from orchestrator.errors import DefinitionError, NotFound
from orchestrator.language.model import Playbook
from orchestrator.language.writing.json_values import from_plain
from orchestrator.language.writing.yaml_writer import to_yaml

app = typer.Typer(add_completion=False)

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_WHICH = "A playbook's folder or file, or NAME or NAME@VERSION of what is published."


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffSide:
    """One side: the playbook, its templates, and what to call it."""

    shown: str
    playbook: Playbook
    templates: dict[str, str]


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help=_WHICH)],
    new: Annotated[str, typer.Argument(help=_WHICH)],
    as_json: Json = False,
) -> None:
    """Compare two versions step by step and line by line, templates included.

    Exit code 0 when they are alike, 1 when they differ or one does not exist. Only names of published
    playbooks need ORCHESTRATOR_DATABASE_URL.
    """
    before, after = _side(old), _side(new)
    steps = _steps(before.playbook, after.playbook)
    lines = _lines(before, after)
    if as_json:
        print_json({"same": not lines, "steps": steps, "diff": lines})
    else:
        for kind, names in steps.items():
            if names:
                say(f"steps {kind}: {', '.join(names)}")
        for line in lines:
            out.print(Text(line, style=_COLOURS.get(line[:1], "")))
        if not lines:
            say("they are alike")
    if lines:
        raise typer.Exit(Exit.NO)


def _side(which: str) -> DiffSide:
    path = Path(which)
    return _file(path) if path.exists() else _stored(which)


def _file(path: Path) -> DiffSide:
    found = find([path])
    books = [(bundle.playbook, bundle.templates) for bundle in found.bundles if bundle.playbook]
    if found.errors:
        raise DefinitionError(problem for problem in found.problems if problem.severity == "error")
    if len(books) != 1:
        raise typer.BadParameter(f"expected one playbook, {path} holds {len(books)}")
    book, templates = books[0]
    return DiffSide(shown=str(path), playbook=book, templates=dict(templates))


def _stored(which: str) -> DiffSide:
    from orchestrator.cli.opening import open_reports  # noqa: PLC0415 - two files need no database

    name, at, number = which.partition("@")
    with open_reports() as reports:
        versions = reports.versions(name)
    chosen = [one for one in versions if not at or str(one.version) == number]
    if not chosen:
        raise NotFound("file or published playbook", which)
    one = chosen[0]
    shown = f"{one.name}@{one.version}"
    return DiffSide(shown=shown, playbook=from_plain(one.definition), templates=dict(one.templates))


def _steps(before: Playbook, after: Playbook) -> dict[str, list[str]]:
    old = {step.name: step for step in before.steps}
    new = {step.name: step for step in after.steps}
    return {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": [name for name in new if name in old and new[name] != old[name]],
    }


def _lines(before: DiffSide, after: DiffSide) -> list[str]:
    lines = list(
        difflib.unified_diff(
            to_yaml(before.playbook).splitlines(),
            to_yaml(after.playbook).splitlines(),
            before.shown,
            after.shown,
            lineterm="",
        )
    )
    for name in sorted(before.templates | after.templates):
        old, new = before.templates.get(name, ""), after.templates.get(name, "")
        lines += difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"{before.shown}/{name}", f"{after.shown}/{name}", lineterm=""
        )
    return lines
