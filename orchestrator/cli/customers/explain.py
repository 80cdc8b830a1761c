"""``orchestrator explain``: why a customer got, or did not get, a message."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from orchestrator.cli.opening import open_reports
from orchestrator.cli.output import Json, instant, note, print_json, say, show, table
from orchestrator.records.timeline import Explanation, TimelineEntry

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
    """Print a customer's timeline, oldest first, and then why each message was or was not sent.

    Times are UTC. Exit code 1 when nobody has that key. Reads ORCHESTRATOR_DATABASE_URL.
    """
    with open_reports() as reports:
        told = reports.timeline(customer)
    if playbook is not None:
        told = told.of_playbook(playbook)
    if not signals:
        told = told.without("signal")
    if last:
        told = told.latest(last)
    if as_json:
        print_json({"customer": customer, **told.to_plain()})
        return
    if not told.entries:
        note("nothing has happened yet")
        return
    show(table(None, ("when (UTC)", "what", "playbook", ""), map(_row, told.entries), right=4))
    if told.explanations:
        say("")
        columns = ("planned (UTC)", "message", "by", "status", "why it was or was not sent")
        show(table("messages", columns, map(_why, told.explanations), right=5))


def _row(entry: TimelineEntry) -> tuple[str, Text, str, str]:
    kind = Text(entry.kind, style=_STYLES.get(entry.kind, ""))
    return (instant(entry.at), kind, entry.playbook or "", entry.words)


def _why(one: Explanation) -> tuple[str, str, str, str, str]:
    message = f"{one.playbook}/{one.step}"
    return (instant(one.planned_at), message, one.channel, one.status.replace("_", " "), one.why)
