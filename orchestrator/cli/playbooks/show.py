"""``orchestrator show``: a playbook as a table, a diagram, or in the language's other face. Needs no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from orchestrator.cli.exits import Exit
from orchestrator.cli.output import Json, complain, note, print_json, say, show, table
from orchestrator.cli.playbooks.paths import Paths, find
from orchestrator.errors import DefinitionError
from orchestrator.language.drawing.diagram import to_mermaid, to_svg
from orchestrator.language.graph.edges import own_edges
from orchestrator.language.graph.longest import longest_path
from orchestrator.language.model import Playbook, Step
from orchestrator.language.outcomes import channels_of, kind_of
from orchestrator.language.writing.json_values import to_plain
from orchestrator.language.writing.python_writer import to_python
from orchestrator.language.writing.yaml_writer import to_yaml

app = typer.Typer(add_completion=False)


@app.command("show")
def show_(
    paths: Paths = None,
    *,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid state diagram instead.")] = False,
    svg: Annotated[
        Path | None,
        typer.Option(
            "--svg", metavar="FILE", help="Draw to this file (a folder: one file a playbook; -: stdout)."
        ),
    ] = None,
    yaml: Annotated[bool, typer.Option("--yaml", help="As playbook.yaml instead.")] = False,
    python: Annotated[bool, typer.Option("--python", help="As playbook.py instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print playbooks step by step, or draw them.

    Exit code 1 when one cannot be read; problems that do not stop reading are left to `orchestrator check`.
    """
    if sum((mermaid, svg is not None, yaml, python, as_json)) > 1:
        raise typer.BadParameter("choose one of --mermaid, --svg, --yaml, --python and --json")
    found = find(paths)
    books = [bundle.playbook for bundle in found.bundles if bundle.playbook]
    if svg is not None:
        _draw(books, svg)
    elif as_json:
        print_json([to_plain(book) for book in books])
    elif mermaid or yaml or python:
        write = to_mermaid if mermaid else to_yaml if yaml else to_python
        say("\n".join(write(book) for book in books).rstrip("\n"))
    else:
        for book in books:
            show(_drawn(book))
    if len(books) < len(found.bundles) or not books:
        wrong = [problem for problem in found.problems if problem.severity == "error"]
        complain(DefinitionError(wrong), code=Exit.NO)
        raise typer.Exit(Exit.NO)


def _draw(books: list[Playbook], target: Path) -> None:
    if str(target) == "-":
        for book in books:
            say(to_svg(book).rstrip("\n"))
        return
    if len(books) > 1 and not target.is_dir():
        raise typer.BadParameter(f"{len(books)} playbooks need a folder that exists, got {target}")
    for book in books:
        path = target / f"{book.name}.svg" if target.is_dir() else target
        try:
            path.write_text(to_svg(book), encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from error
        note(f"drew {path}")


def _drawn(book: Playbook) -> Group:
    longest = longest_path(book)
    facts = [
        f"{book.name} v{book.version}: {book.title}",
        f"topic {book.topic}, priority {book.priority}, holdout {book.holdout:.0%}",
        f"comes in by {_way_in(book)}",
        f"goal {_goal(book)}",
        f"takes at most {longest.days} days before it rests" if longest else "takes as long as its dates say",
    ]
    anywhere = [f"{route.outcome} -> {_targets(route.to, route.choices)}" for route in book.at_any_step]
    if anywhere:
        facts.append(f"at any step: {', '.join(anywhere)}")
    rows = [(step.name, _does(step), str(step.wait or ""), _leads(step)) for step in book.steps]
    return Group(
        Text("\n".join(facts)),
        Text(),
        table(None, ("step", "does", "waits", "leads to"), rows, right=4),
        Text(),
    )


def _way_in(book: Playbook) -> str:
    enter = book.enter
    ways = [
        *enter.when,
        *(f"calendar {name}" for name in enter.calendar),
        *(["a daily scan"] if enter.every else []),
    ]
    return ", ".join(ways) or "start_playbook alone"


def _goal(book: Playbook) -> str:
    if book.goal is None:
        return "none"
    by = " by anybody of the account" if book.goal.by == "account" else ""
    return f"{' or '.join(book.goal.event)} within {book.goal.within}{by}"


def _does(step: Step) -> str:
    channels = " or ".join(channels_of(step.action))
    at = f" at {step.at}" if step.at else ""
    return f"{kind_of(step.action)}{f' {channels}' if channels else ''}{at}"


def _leads(step: Step) -> str:
    return ", ".join(f"{_word(edge.outcome)} -> {edge.to}" for edge in own_edges(step))


def _word(outcome: str) -> str:
    head, _, tail = outcome.partition(":")
    return f"row {int(tail) + 1}" if head == "go" and tail else f"{head} {tail}".rstrip()


def _targets(to: str | None, choices: tuple[tuple[str, str], ...]) -> str:
    return to or " / ".join(f"{key}: {target}" for key, target in choices)
