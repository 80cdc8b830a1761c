"""A progress bar on stderr for long work; silent where nobody looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.output import err
from orchestrator.simulator.perform_actions import ActionCounts
from orchestrator.simulator.run import Watch


@contextmanager
def virtual_days(start: datetime, end: datetime, title: str) -> Iterator[Watch]:
    """A bar over virtual time, with what happened so far."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[day]}  {task.fields[done]}"),
        TimeElapsedColumn(),
    )
    total = (end - start).total_seconds()
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=total, day=start.strftime("%d %b %Y"), done="")

        def watch(now: datetime, tally: ActionCounts) -> None:
            progress.update(
                task,
                completed=(now - start).total_seconds(),
                day=now.strftime("%d %b %Y"),
                done=f"{tally.deeds:,} signals and answers, {tally.messages:,} messages",
            )

        yield watch
