"""``orchestrator start``: the product's own call, by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.customers.name_values import NameValues, read_facts
from orchestrator.cli.opening import open_engine
from orchestrator.cli.output import Json, print_json, say

app = typer.Typer(add_completion=False)


@app.command()
def start(
    customer: Annotated[str, typer.Argument(help="The product's key of the customer.")],
    playbook: Annotated[str, typer.Argument(help="The name of a published playbook.")],
    context: NameValues = None,
    key: Annotated[str | None, typer.Option("--key", help="Makes a repeated call the same call.")] = None,
    as_json: Json = False,
) -> None:
    """Start a playbook for a customer. NAME=VALUE pairs are its context.

    Exit code 1 when the start is refused; the reason is printed. Writes to ORCHESTRATOR_DATABASE_URL.
    """
    made = open_engine().start_playbook(customer, playbook, context=read_facts(context), key=key)
    if as_json:
        print_json(made)
    else:
        how = "started" if made.created else "was running already"
        arm = ", in the holdout" if made.held_out else ""
        say(f"{made.playbook} v{made.version} {how}: {made.id}, in step {made.step}{arm}")
