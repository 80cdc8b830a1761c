"""``orchestrator``: the command line. Errors end as one short message and an exit code, never as a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from channels.errors import BadChannelError
from orchestrator import errors
from orchestrator.cli.commands import Commands
from orchestrator.cli.exits import TABLE, Exit, code_of
from orchestrator.cli.output import complain

app = typer.Typer(
    name="orchestrator",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=f"{TABLE} Settings are environment variables ORCHESTRATOR_*; without any, everything runs on this machine.",
)


@app.callback(invoke_without_command=True)
def orchestrator(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Walk every customer through playbooks, within caps, quiet hours, cooldowns and opt-outs."""
    if version:
        from importlib.metadata import version as version_of  # noqa: PLC0415 - only asked for here

        typer.echo(version_of("orchestrator"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.USAGE)


def main() -> None:
    """The entry point of the installed command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the edge of the program: whatever it is, it ends as a message
        sys.exit(_told(error))


def _told(error: Exception) -> Exit:
    known = _mapped(error)
    if isinstance(known, errors.OrchestratorError):
        complain(known, code=code_of(known))
        return code_of(known)
    if os.environ.get("ORCHESTRATOR_LOG_LEVEL") == "debug":
        traceback.print_exception(error)
    complain(known, code=Exit.DEFECT)
    return Exit.DEFECT


def _mapped(error: Exception) -> Exception:
    """What nobody translated: a channel plug-in that cannot be used; a lost connection, which is a thing to try again;
    and the rest of the database's, a statement refused."""
    if isinstance(error, BadChannelError):
        return errors.AdapterError(str(error))
    if "sqlalchemy" not in sys.modules:  # it takes longer to load than most commands take to answer
        return error
    from sqlalchemy.exc import OperationalError, SQLAlchemyError  # noqa: PLC0415

    if not isinstance(error, SQLAlchemyError):
        return error
    first_line = str(getattr(error, "orig", None) or error).partition("\n")[0]
    if isinstance(error, OperationalError):
        return errors.Unavailable(f"PostgreSQL does not answer: {first_line}")
    return errors.StoreError(f"PostgreSQL refused: {first_line}")


if __name__ == "__main__":
    main()
