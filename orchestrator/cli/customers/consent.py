"""``orchestrator consent``: what customers said about being spoken to: shown with its evidence, imported from files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.customers.consent_file import Line, read_consents
from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import open_engine
from orchestrator.cli.output import Json, err, instant, note, print_json, say, show, table
from orchestrator.records.consent import ConsentEntry, ConsentInForce
from orchestrator.row_files import count_rows

app = typer.Typer(
    help="Who agreed to what, when, how and what they were told; import consents from elsewhere.",
    no_args_is_help=True,
    add_completion=False,
)

AT_ONCE = 2000  # lines of one call


@app.command("show")
def show_(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The product's key of the customer.")],
    as_json: Json = False,
) -> None:
    """Print everything a customer ever said about being spoken to, and what is in force for each channel and topic."""
    found = open_engine().consents(customer)
    if as_json:
        print_json(found)
        return
    show(
        table(
            f"in force at {instant(found.at)} UTC",
            ("channel", "topic", "said", "may we speak", "since", "until", "basis", "row"),
            (_in_force(one) for one in found.in_force),
            right=8,
        )
    )
    say("")
    if not found.entries:
        say("nothing was ever said")
        return
    show(
        table(
            "the ledger, oldest first",
            ("row", "when", "what", "how", "where", "who", "under", "they were told"),
            (_entry(one) for one in found.entries),
            right=8,
        )
    )


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.csv, or JSON lines.")],
    as_json: Json = False,
) -> None:
    """Import grants and withdrawals with their evidence. Good lines are kept, each once, however often it is repeated.

    Columns: customer, action (granted, confirmed, revoked), occurred_at, source; channel, topic, method, basis,
    wording, wording_locale, wording_version, jurisdiction, expires_at, actor, address, id, evidence.NAME. Exit code 1
    when a line was refused.
    """
    lines = read_consents(file)
    first = list(islice(lines, 1))  # a file that cannot be read says so before a database is opened
    engine = open_engine()
    taken = repeated = 0
    refused: list[dict[str, object]] = []
    columns = (TextColumn("importing"), BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task("importing", total=count_rows(file))
        for some in _batches([*first], lines):
            facts = [(line.number, line.fact) for line in some if line.fact is not None]
            wrong = [(line.number, "$", line.problem) for line in some if line.fact is None]
            report = engine.import_consents([fact for _, fact in facts])
            taken, repeated = taken + report.taken, repeated + report.repeated
            wrong += [(facts[one.index][0], one.path, one.problem) for one in report.refused]
            refused += [
                {"line": number, "path": path, "problem": problem} for number, path, problem in sorted(wrong)
            ]
            progress.update(task, completed=some[-1].number)
    engine.close()
    if as_json:
        print_json({"taken": taken, "repeated": repeated, "refused": refused})
    else:
        for one in refused:
            where = "" if one["path"] == "$" else f"{str(one['path']).removeprefix('$.')}: "
            note(f"{file}:{one['line']}: {where}{one['problem']}")
        say(f"{taken} taken, {repeated} known before, {len(refused)} refused")
    if refused:
        raise typer.Exit(Exit.NO)


def _batches(first: list[Line], lines: Iterator[Line]) -> Iterable[list[Line]]:
    some = [*first, *islice(lines, AT_ONCE - 1)]
    while some:
        yield some
        some = list(islice(lines, AT_ONCE))


def _in_force(one: ConsentInForce) -> tuple[object, ...]:
    until = instant(one.expires_at)
    speak = "yes" if one.may_speak else "no"
    return (one.channel, one.topic, one.says, speak, instant(one.since), until, one.basis, one.entry)


def _entry(one: ConsentEntry) -> tuple[object, ...]:
    channel = "every channel" if one.channel == "*" else one.channel
    topic = "everything" if one.topic == "*" else one.topic
    basis = "" if one.action in ("revoked", "erased") else f" ({one.basis})"
    told = " ".join(
        part for part in (one.wording, f"[{one.wording_version}]" if one.wording_version else None) if part
    )
    what = f"{one.action} {topic}, {channel}{basis}"
    return (one.id, instant(one.occurred_at), what, one.method, one.source, one.actor, one.jurisdiction, told)
