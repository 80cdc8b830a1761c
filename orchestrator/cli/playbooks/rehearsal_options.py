"""Options that several rehearsals share: how long, from when, how fine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from orchestrator.language.reading.moments import MomentError, parse_duration

# A Monday whose following sixty days hold a change of clocks in many zones, and Black Friday.
FIRST_DAY = "2026-10-05"

Customers = Annotated[
    int,
    typer.Option(
        "--customers", "-n", min=1, max=100_000, envvar="ORCHESTRATOR_CUSTOMERS", help="How many people."
    ),
]
Days = Annotated[
    int,
    typer.Option("--days", "-d", min=1, max=3_660, envvar="ORCHESTRATOR_DAYS", help="How many virtual days."),
]
Seed = Annotated[
    int, typer.Option("--seed", "-s", envvar="ORCHESTRATOR_SEED", help="The same seed gives the same report.")
]
From = Annotated[
    str,
    typer.Option("--from", metavar="DATE", envvar="ORCHESTRATOR_FROM", help="The first virtual day, UTC."),
]
Tick = Annotated[
    str,
    typer.Option(
        "--tick",
        metavar="DURATION",
        envvar="ORCHESTRATOR_TICK",
        help="The clock stops at multiples of this: 10min, 1h.",
    ),
]


def first_day(text: str) -> datetime:
    try:
        day = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a date such as {FIRST_DAY}, got {text!r}") from error
    return day.astimezone(UTC) if day.tzinfo else day.replace(tzinfo=UTC)


def tick_of(text: str) -> timedelta:
    try:
        span = parse_duration(text).span
    except MomentError as error:
        raise typer.BadParameter(str(error)) from error
    if not timedelta(minutes=1) <= span <= timedelta(days=1):
        raise typer.BadParameter(f"expected a duration from 1min to 1d, got {text!r}")
    return span
