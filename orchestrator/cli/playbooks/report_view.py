"""A rehearsal's report as tables."""

from __future__ import annotations

import typer
from rich.console import Group
from rich.text import Text

from orchestrator.cli.exits import Exit
from orchestrator.cli.output import instant, note, print_json, show, table
from orchestrator.store.reports.rehearsals.report import PlaybookFigures, Report


def tell(report: Report, *, as_json: bool) -> None:
    """Print a report; ends the command with 1 when an invariant is broken or somebody had to be set aside."""
    if as_json:
        print_json(report)
    else:
        show(drawn(report))
    for violation in report.violations[:20]:
        note(violation)
    for defect, times in report.parked:
        note(f"set aside {times} times: {defect}")
    if not report.sound:
        raise typer.Exit(Exit.NO)


def drawn(report: Report) -> Group:
    parts: list[object] = [
        Text(
            f"{report.customers:,} customers from {instant(report.start)} to {instant(report.end)}"
            f"{'' if report.seed is None else f', seed {report.seed}'}: {report.signals:,} signals, "
            f"{report.opt_outs:,} opted out of something"
        ),
        Text(),
        _funnel(report),
        Text(),
    ]
    for figures in report.playbooks:
        parts += [_steps(figures), Text()]
    parts += [_channels(report), Text(), _held_back(report), Text(), Text(_invariants(report))]
    return Group(*parts)  # type: ignore[arg-type]


def _funnel(report: Report) -> object:
    rows = []
    for one in report.playbooks:
        arms = {arm.name: arm for arm in one.arms}
        contacted, holdout = arms.get("contacted"), arms.get("holdout")
        rows.append(
            (
                one.playbook,
                one.entered,
                one.live,
                contacted.converted if contacted else 0,
                f"{contacted.rate:.1%}" if contacted else "",
                f"{holdout.converted} of {holdout.entered}" if holdout else "",
                f"{holdout.rate:.1%}" if holdout else "",
                f"{contacted.value:,.0f}" if contacted else "",
                ", ".join(f"{word} {times}" for word, times in one.refused),
            )
        )
    columns = (
        "playbook",
        "entered",
        "still in",
        "converted",
        "rate",
        "holdout",
        "rate",
        "value",
        "starts refused",
    )
    return table("What each playbook did", columns, rows)


def _steps(one: PlaybookFigures) -> object:
    rows = [
        (
            step.step,
            step.entered,
            step.sent or "",
            step.held_out or "",
            step.not_sent or "",
            ", ".join(f"{word} {times}" for word, times in step.left_by),
        )
        for step in one.steps
    ]
    ends = ", ".join(f"{word} {times}" for word, times in one.ended)
    title = f"{one.playbook}{f'  (ended: {ends})' if ends else ''}"
    return table(title, ("step", "entered", "sent", "held out", "not sent", "left by"), rows)


def _channels(report: Report) -> object:
    rows = [
        (
            one.channel,
            one.planned,
            one.sent,
            one.held_out,
            one.not_sent,
            one.withdrawn,
            one.waiting,
            ", ".join(f"{word} {times}" for word, times in one.responses),
        )
        for one in report.channels
    ]
    columns = ("channel", "planned", "sent", "held out", "not sent", "withdrawn", "waiting", "responses")
    return table("Messages by channel", columns, rows)


def _held_back(report: Report) -> object:
    rows = [(one.policy, one.verdict, one.messages, one.times) for one in report.held_back]
    return table("Held back, and why", ("policy", "verdict", "messages", "times asked"), rows, right=2)


def _invariants(report: Report) -> str:
    broken = len(report.violations)
    return "Every invariant of the database holds." if not broken else f"{broken} rows break an invariant."
