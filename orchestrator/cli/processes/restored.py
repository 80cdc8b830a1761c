"""``orchestrator restored``: makes a database that was put back from a backup safe to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import load_settings, open_engine, open_reports, ready
from orchestrator.cli.output import Json, err, note, print_json, say, show, table
from orchestrator.errors import InputError
from orchestrator.records.restore import LogContents, RestoreReport
from orchestrator.records.restore import Progress as Watch
from orchestrator.service.operations.restored import RestoreRequest
from orchestrator.settings import Settings
from orchestrator.store.restoring.withdrawal_log import read_log

app = typer.Typer(add_completion=False)

_INSTANT = "An instant with its zone: 2026-03-03T12:00:00Z."


@app.command()
def restored(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="INSTANT",
            help=f"When the backup was made. {_INSTANT} Left out: what the withdrawal log says.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="INSTANT",
            help="When the last process worked on the lost database. Left out: now, which is always safe.",
        ),
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(
            "--log",
            metavar="PATH",
            exists=True,
            help="A file or folder of the withdrawal log; may be repeated. Left out: ORCHESTRATOR_WITHDRAWAL_LOG.",
        ),
    ] = None,
    accept_loss_by: Annotated[
        str | None,
        typer.Option(
            "--accept-loss-by",
            metavar="NAME",
            help="Who accepts that withdrawals may be missing, by name: promotion goes on, and the name is kept.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although processes are connected to the database.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a restored database safe: nothing is sent twice, and nobody who opted out since the backup is written to.

    Stop every process first; run it before any is started. It moves every sequence past the ids given since the
    backup, takes what may have gone out for uncertain, and reads withdrawals back from their log and from the
    providers' suppression lists. It may be repeated, and goes on where it was left. Exit code 1 while promotion stays
    held, because withdrawals may be missing and nobody has accepted that.
    """
    settings = ready(load_settings())
    with open_reports(settings) as reports:
        connected = reports.connected_processes()
        found = reports.restore()
    if connected and not force:
        note(
            f"{connected} connections of running processes: stop web, workers and beat first, or say --force"
        )
        raise typer.Exit(Exit.NO)
    begun = _instant("--since", since) if since is not None else (found.since if found is not None else None)
    if begun is None:
        raise InputError("--since", f"expected when the backup was made. {_INSTANT}")
    request = RestoreRequest(
        since=begun,
        until=None if until is None else _instant("--until", until),
        log=_log(settings, log or []),
        accepted_by=(accept_loss_by or "").strip() or None,
    )
    from orchestrator.engine import make_restored_safe  # noqa: PLC0415 - loaded with the engine alone

    engine = open_engine(settings)
    try:
        with _progress() as watch:
            report = make_restored_safe(engine, request, watch)
    finally:
        engine.close()
    if as_json:
        print_json(report)
    else:
        _tell(report)
    if report.promotion_held:
        raise typer.Exit(Exit.NO)


def _instant(option: str, text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise InputError(option, f"expected an instant. {_INSTANT}")
    return read.astimezone(UTC)


def _log(settings: Settings, paths: list[Path]) -> LogContents | None:
    """The log of the given paths, else of the settings."""
    if not paths and settings.withdrawal_log is None:
        return None
    return read_log(paths or [folder for folder in [settings.withdrawal_log] if folder is not None])


@contextmanager
def _progress() -> Iterator[Watch]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        tasks = {}

        def watch(part: str, done: int, total: int, /) -> None:
            if part not in tasks:
                tasks[part] = progress.add_task(part, total=total)
            progress.update(tasks[part], completed=done, total=total)

        yield watch


def _tell(report: RestoreReport) -> None:
    rows = [
        ("lost time", f"{report.since:%Y-%m-%d %H:%M:%S} to {report.until:%Y-%m-%d %H:%M:%S} UTC"),
        ("sequences moved", report.sequences),
        ("live enrollments looked at", report.enrollments),
        ("messages taken for uncertain", report.uncertain),
        ("steps ahead that may have spoken", report.doubtful_steps),
        ("withdrawal log", report.log),
        ("withdrawals in it since then", report.entries),
        ("new in the ledger", report.withdrawn),
        ("known before", report.known),
        ("people forgotten again", report.erased),
        ("kept for people not known here", report.awaiting),
        ("could not be stored", report.refused),
        *(
            (f"{one.provider}'s suppression lists", f"{one.addresses} addresses" if one.done else one.detail)
            for one in report.suppressions
        ),
    ]
    show(table(None, ("what", "how much"), rows))
    for problem in report.problems:
        say(problem)
    if report.accepted_by is not None:
        say(f"the loss was accepted by {report.accepted_by}")
    say(
        "promotion is held: repeat with the whole log (--log), or say who accepts the loss (--accept-loss-by NAME)"
        if report.promotion_held
        else "the work may go on"
    )
