"""``orchestrator db``: the schema and the embedded server."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import database_url, embedded, load_settings, open_engine
from orchestrator.cli.output import Json, note, print_json, say
from orchestrator.store import migrate
from orchestrator.store.sql.connections import without_password

app = typer.Typer(help="Move the schema; look after the embedded PostgreSQL.", no_args_is_help=True)

_DATABASE = "Works on ORCHESTRATOR_DATABASE_URL; unset, on the embedded PostgreSQL in ORCHESTRATOR_DATA_DIR."


@app.command(help=f"Move the schema forward, by default to the newest revision. {_DATABASE}")
def upgrade(
    revision: Annotated[str, typer.Argument(help="A revision, or head.")] = "head", as_json: Json = False
) -> None:
    url = database_url(load_settings())
    before = migrate.current(url)
    migrate.upgrade(url, revision)
    _tell(before, migrate.current(url), as_json)


@app.command(help=f"Move the schema back. What is dropped is gone: the command asks first. {_DATABASE}")
def downgrade(
    revision: Annotated[str, typer.Argument(help="A revision, or base for an empty database.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    url = database_url(load_settings())
    if not yes and not typer.confirm(
        f"Drop what came after {revision} in {without_password(url)}?", err=True
    ):
        note("nothing was done")
        raise typer.Exit(Exit.NO)
    before = migrate.current(url)
    migrate.downgrade(url, revision)
    _tell(before, migrate.current(url), as_json)


@app.command(help=f"Print the revision; exit code 1 when it is not the one this software needs. {_DATABASE}")
def current(as_json: Json = False) -> None:
    now = migrate.current(database_url(load_settings()))
    needed = migrate.head()
    if as_json:
        print_json({"revision": now, "needed": needed, "current": now == needed})
    else:
        say(
            f"{now or 'no schema'}{'' if now == needed else f' (needed: {needed}; run: orchestrator db upgrade)'}"
        )
    if now != needed:
        raise typer.Exit(Exit.NO)


@app.command(help=f"Delete history that is older than policy.yaml keeps it (retention:). {_DATABASE}")
def prune(as_json: Json = False) -> None:
    engine = open_engine()
    pruned = engine.prune()
    engine.close()
    if as_json:
        print_json({"pruned": pruned})
        return
    for kind, rows in pruned.items():
        say(f"{kind.replace('_', ' '):13} {rows:,} deleted")


@app.command()
def stop(as_json: Json = False) -> None:
    """Stop the embedded PostgreSQL of ORCHESTRATOR_DATA_DIR, whoever started it."""
    stopped = embedded(load_settings()).stop()
    if as_json:
        print_json({"stopped": stopped})
    else:
        say("stopped" if stopped else "it was not running")


@app.command()
def url(
    password: Annotated[bool, typer.Option("--password", help="Show the password too.")] = False,
    as_json: Json = False,
) -> None:
    """Print the database's URL, for psql and BI tools; starts the embedded server when that is the database."""
    found = database_url(load_settings())
    shown = found if password else without_password(found)
    if as_json:
        print_json({"url": shown})
    else:
        say(shown)


def _tell(before: str | None, after: str | None, as_json: bool) -> None:
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        say(f"nothing to do: already at {after or 'no schema'}")
    else:
        say(f"{before or 'no schema'} -> {after or 'no schema'}")
