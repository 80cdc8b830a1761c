"""``orchestrator explain``: why a customer got, or did not get, a message."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli.opening import open_connection
from orchestrator.cli.output import Json, instant, note, print_json, show, table
from orchestrator.errors import NotFound
from orchestrator.store import customers
from orchestrator.store.timeline import Entry, timeline

app = typer.Typer(add_completion=False)

_STYLES = {"verdict": "yellow", "refusal": "yellow", "conversion": "green", "consent": "red", "parked": "red"}


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="The product's key of the customer.")],
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only the latest entries.")] = None,
    playbook: Annotated[
        str | None, typer.Option("--playbook", help="Only what concerns this playbook.")
    ] = None,
    signals: Annotated[
        bool, typer.Option("--signals/--no-signals", help="Also what the product reported.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Print a customer's timeline, oldest first: every step, message and verdict with its reason.

    Times are UTC. Exit code 1 when nobody has that key. Reads ORCHESTRATOR_DATABASE_URL.
    """
    with open_connection() as connection:
        found = customers.find(connection, customer)
        if found is None:
            raise NotFound("customer", customer)
        entries = [
            entry
            for entry in timeline(connection, found.id)
            if (signals or entry.kind != "signal") and (playbook is None or entry.playbook == playbook)
        ]
    entries = entries[-last:] if last else entries
    if as_json:
        print_json({"customer": found.key, "timeline": [entry.to_plain() for entry in entries]})
    elif entries:
        show(table(None, ("when (UTC)", "what", "", "playbook"), map(_row, entries), right=4))
    else:
        note("nothing has happened yet")


def _row(entry: Entry) -> tuple[str, Text, str, str]:
    kind = Text(entry.kind, style=_STYLES.get(entry.kind, ""))
    return (instant(entry.at), kind, entry.words, entry.playbook or "")
