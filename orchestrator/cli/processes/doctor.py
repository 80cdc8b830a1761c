"""``orchestrator doctor``: is everything there, does work go on, do the invariants hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import load_settings, open_engine
from orchestrator.cli.output import Json, print_json, show, table
from orchestrator.engine import Engine
from orchestrator.settings import Settings
from orchestrator.store.sql.connections import without_password

app = typer.Typer(add_completion=False)

_LATE = 60.0  # seconds a due thing may wait before somebody should look


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing looked at. ``ok`` is None for a fact that is neither good nor bad."""

    about: str
    ok: bool | None
    words: str


@app.command()
def doctor(
    invariants: Annotated[
        bool,
        typer.Option("--invariants", help="Also look for rows that break an invariant; reads whole tables."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at the settings, the database, the queues and, when asked, every invariant.

    Exit code 0 when all is well, 1 when something needs a person, 2 for wrong settings, 3 when PostgreSQL is away.
    """
    settings = load_settings()
    engine = open_engine(settings)
    findings = [*_surroundings(engine, settings), *_queues(engine)]
    if invariants:
        findings += _invariants(engine)
    if as_json:
        print_json({"ok": all(finding.ok is not False for finding in findings), "findings": findings})
    else:
        marks = {True: "ok", False: "LOOK", None: ""}
        rows = [(marks[finding.ok], finding.about, finding.words) for finding in findings]
        show(table(None, ("", "what", "found"), rows, right=3))
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(Exit.NO)


def _surroundings(engine: Engine, settings: Settings) -> list[Finding]:
    found = engine.reports.installation()
    url = settings.database_url
    kind = "embedded" if url is None else without_password(url.get_secret_value())
    names = [f"{name} v{version}" for name, version in found.playbooks]
    return [
        Finding(about="database", ok=True, words=f"PostgreSQL {found.server_version}, {kind}"),
        Finding(about="broker", ok=None, words="in this process" if settings.broker is None else "Celery"),
        Finding(
            about="playbooks",
            ok=bool(names),
            words=", ".join(names) or "none is published; run: orchestrator publish",
        ),
        *(Finding(about=f"paused: {name}", ok=None, words=reason) for name, reason in found.paused.items()),
    ]


def _queues(engine: Engine) -> list[Finding]:
    now = engine.reports.instants()
    state = engine.reports.health()
    lags = (
        ("timers", state.timer_lag.total_seconds(), state.timers_due),
        ("messages", state.dispatch_lag.total_seconds(), state.dispatch_due),
        ("inbox", state.inbox_age.total_seconds(), state.inbox_rows),
    )
    parked = sum(state.parked.values())
    return [
        Finding(
            about="clock", ok=None, words=f"{now.business:%Y-%m-%d %H:%M} UTC, rate {state.clock_rate:g}"
        ),
        *(
            Finding(
                about=name,
                ok=seconds < _LATE * max(1.0, state.clock_rate),
                words=f"{due} due, the oldest for {seconds:.0f} s",
            )
            for name, seconds, due in lags
        ),
        Finding(about="uncertain", ok=True, words=f"{state.uncertain} messages whose fate is not known yet"),
        Finding(
            about="hand-overs",
            ok=not state.stuck_hand_overs,
            words=f"{state.stuck_hand_overs} were begun by a process that is gone",
        ),
        Finding(
            about="parked",
            ok=not parked,
            words=", ".join(f"{reason}: {number}" for reason, number in state.parked.items()) or "nobody",
        ),
        Finding(about="walking", ok=None, words=f"{state.live} customers are in a playbook"),
    ]


def _invariants(engine: Engine) -> list[Finding]:
    found = engine.reports.violations(engine.policy.caps)
    broken = [Finding(about="invariant", ok=False, words=str(violation)) for violation in found]
    return broken or [Finding(about="invariants", ok=True, words="every one holds")]
