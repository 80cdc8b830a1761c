"""``orchestrator schema``: the JSON Schemas that let an editor complete and check the files. Needs no database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli.output import note, print_json
from orchestrator.language.problems import did_you_mean, one_of
from orchestrator.language.writing.json_schema import (
    calendar_schema,
    playbook_schema,
    policy_schema,
    signals_schema,
)

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "playbook": playbook_schema,
    "policy": policy_schema,
    "signals": signals_schema,
    "calendar": calendar_schema,
}

app = typer.Typer(add_completion=False)


@app.command("schema")
def schema(
    name: Annotated[
        str, typer.Argument(metavar="FILE", help="playbook, policy, signals or calendar.")
    ] = "playbook",
    *,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FOLDER", help="Write all four into this folder, one file each."),
    ] = None,
) -> None:
    """Print the JSON Schema of one of the files a playbook folder holds; an editor completes and checks by it.

    What needs more than one file, names and reachability, is left to `orchestrator check`.
    """
    if write is None:
        print_json(_known(name)())
        return
    write.mkdir(parents=True, exist_ok=True)
    for one, made in SCHEMAS.items():
        path = write / f"{one}.schema.json"
        path.write_text(json.dumps(made(), indent=2) + "\n", encoding="utf-8")
        note(f"wrote {path}")


def _known(name: str) -> Callable[[], dict[str, Any]]:
    name = name.removesuffix(".yaml")
    if name not in SCHEMAS:
        msg = f"'{name}' has no schema{did_you_mean(name, SCHEMAS) or ''}; expected {one_of(SCHEMAS)}"
        raise typer.BadParameter(msg)
    return SCHEMAS[name]
