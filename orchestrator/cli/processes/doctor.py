"""``orchestrator doctor``: is everything there, does work go on, do the invariants hold; if not, which fault it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import database_url, load_settings, open_engine
from orchestrator.cli.output import Json, print_json, say, show, table
from orchestrator.engine import Engine
from orchestrator.errors import StoreError, Unavailable
from orchestrator.records.operations.faults import Finding
from orchestrator.settings import Settings
from orchestrator.store import migrate
from orchestrator.store.sql.connections import without_password

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    invariants: Annotated[
        bool,
        typer.Option("--invariants", help="Also look for rows that break an invariant; reads whole tables."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at the settings, the database, the work and, when asked, every invariant; name the fault if there is one.

    Exit code 0 when all is well, 1 when something needs a person, 2 for wrong settings, 3 when PostgreSQL is away.
    """
    settings = load_settings()
    try:
        schema = _schema(settings)
    except Unavailable as error:
        _tell([Finding(about="database", ok=False, fault="database-away", words=str(error))], as_json)
        raise typer.Exit(Exit.UNREACHABLE) from None
    found = [schema]
    if schema.ok is not False:
        engine = open_engine(settings)
        _, diagnosis = engine.reports.diagnosis(production=settings.env == "production")
        found += [*_surroundings(engine, settings), *diagnosis]
        found += _definitions(engine, settings)
        if invariants:
            found += _invariants(engine)
    _tell(found, as_json)
    if any(finding.ok is False for finding in found):
        raise typer.Exit(Exit.NO)


def _tell(found: list[Finding], as_json: bool) -> None:
    wrong = [finding for finding in found if finding.ok is False]
    if as_json:
        print_json({"ok": not wrong, "findings": [_plain(finding) for finding in found]})
        return
    marks = {True: "ok", False: "LOOK", None: ""}
    rows = [(marks[finding.ok], finding.about, finding.words) for finding in found]
    show(table(None, ("", "what", "found"), rows, right=3))
    for finding in wrong:
        if finding.fault:
            say(f"\n{finding.fault}: {finding.advice}\n  see {finding.page}")


def _plain(finding: Finding) -> dict[str, Any]:
    plain = {"about": finding.about, "ok": finding.ok, "words": finding.words}
    if finding.page is None:
        return plain
    return {**plain, "fault": finding.fault, "advice": finding.advice, "page": finding.page}


def _schema(settings: Settings) -> Finding:
    """Whether the database has the tables this program needs. Raises Unavailable."""
    url = database_url(settings)
    if settings.database_url is None:  # the embedded one is moved when it is opened
        return Finding(about="schema", ok=True, words=f"revision {migrate.head()}")
    revision, problem = migrate.current(url), migrate.problem_at(url)
    newer = revision is not None and revision not in migrate.revisions()
    words = f"revision {revision}" + (
        f", newer than this program's {migrate.head()}, and fits" if newer else ""
    )
    return Finding(about="schema", ok=problem is None, fault="schema", words=problem or words)


def _surroundings(engine: Engine, settings: Settings) -> Iterator[Finding]:
    found = engine.reports.installation()
    url = settings.database_url
    kind = "embedded" if url is None else without_password(url.get_secret_value())
    names = [f"{name} v{version}" for name, version in found.playbooks]
    now = engine.reports.instants()
    yield Finding(about="database", ok=True, words=f"PostgreSQL {found.server_version}, {kind}")
    yield Finding(about="broker", ok=None, words="in this process" if settings.broker is None else "Celery")
    yield Finding(
        about="playbooks",
        ok=bool(names),
        words=", ".join(names) or "none is published; run: orchestrator publish",
    )
    kept = settings.withdrawal_log
    yield Finding(
        about="withdrawals kept outside",
        ok=None,
        words=f"in {kept}"
        if kept is not None
        else "no; set ORCHESTRATOR_WITHDRAWAL_LOG before a backup is needed",
    )
    for name, reason in found.paused.items():
        yield Finding(about=f"paused: {name}", ok=None, words=reason)
    yield Finding(about="engine time", ok=None, words=f"{now.business:%Y-%m-%d %H:%M} UTC")


def _definitions(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Whether this release can read what is published, and has a provider for what it sends."""
    try:
        sandboxed = engine.channels_without_provider()
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a definition of another release makes of this one
        yield Finding(
            about="definitions",
            ok=False,
            fault="definition-unreadable",
            words=f"{type(error).__name__}: {error}",
        )
        return
    faults = engine.definition_faults()
    for fault in faults:
        yield Finding(about="definitions", ok=False, fault="definition-unreadable", words=fault)
    if not faults:
        yield Finding(about="definitions", ok=True, words="every one can be read")
    yield Finding(
        about="providers",
        ok=not (sandboxed and settings.env == "production"),
        fault="provider-credentials",
        words=f"no key is set for {', '.join(sandboxed)}: a sandbox takes those messages"
        if sandboxed
        else "all set",
    )


def _invariants(engine: Engine) -> list[Finding]:
    found = engine.reports.violations(engine.policy.caps)
    broken = [Finding(about="invariant", ok=False, words=str(violation)) for violation in found]
    return broken or [Finding(about="invariants", ok=True, words="every one holds")]
