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
    complain(error, code=Exit.DEFECT)
    return Exit.DEFECT


def _mapped(error: Exception) -> Exception:
    """A channel plug-in that cannot be used is an error of ours."""
    return errors.AdapterError(str(error)) if isinstance(error, BadChannelError) else error


if __name__ == "__main__":
    main()
