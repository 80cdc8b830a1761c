"""``orchestrator track``: report one signal, or with ``--traits`` profile facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from orchestrator.cli.customers.name_values import NameValues, read_facts
from orchestrator.cli.opening import open_engine
from orchestrator.cli.output import Json, print_json, say
from orchestrator.errors import InputError
from orchestrator.records.intake import Identify, IngestReport, Track

app = typer.Typer(add_completion=False)


@app.command()
def track(
    customer: Annotated[str, typer.Argument(help="The product's key of the customer (or account).")],
    event: Annotated[str, typer.Argument(help="The signal's name; identify reports profile facts instead.")],
    properties: NameValues = None,
    *,
    account: Annotated[bool, typer.Option("--account", help="The key is an account's.")] = False,
    source_id: Annotated[str | None, typer.Option("--id", help="Makes the signal count once.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="When it happened, ISO 8601; default: now.")] = None,
    as_json: Json = False,
) -> None:
    """Report one signal about a customer. NAME=VALUE pairs are its properties.

    Exit code 1 when it is refused. Writes to ORCHESTRATOR_DATABASE_URL.
    """
    facts = read_facts(properties)
    when = _instant(at)
    engine = open_engine()
    if event == "identify":
        profile = Identify(key=customer, traits=facts, source_id=source_id, occurred_at=when, account=account)
        report = engine.identify([profile])
    else:
        signal = Track(
            key=customer,
            event=event,
            properties=facts,
            source_id=source_id,
            occurred_at=when,
            account=account,
        )
        report = engine.track([signal])
    _tell(report, as_json)


def _tell(report: IngestReport, as_json: bool) -> None:
    if report.refused:
        first = report.refused[0]
        raise InputError(first.path, first.problem)
    if as_json:
        print_json(report)
    else:
        say("taken" if report.taken else "known already: it counts once")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"expected an instant such as 2026-11-27T09:00+01:00, got {text!r}"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
