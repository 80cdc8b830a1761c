"""The list of commands. A command's file is loaded when it is asked for: ``check`` never loads a database driver, and
``--help`` loads nothing at all."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

SUMMARIES = {
    "demo": "Walk invented customers through the playbooks, print what came of it, and serve it.",
    "check": "Read playbooks and print every problem as path:line:column: message.",
    "show": "Print playbooks step by step, or draw them.",
    "schema": "Print the JSON Schemas by which editors complete and check the files of a playbook folder.",
    "diff": "Compare two versions of a playbook step by step and line by line.",
    "publish": "Check a folder of playbooks and store what is new in it.",
    "simulate": "Rehearse a playbook: invented customers, real engine, virtual time.",
    "replay": "Play recorded signals through playbooks and report what would have been sent.",
    "explain": "Print a customer's timeline: every step, message and verdict with its reason.",
    "customer": "Look at one customer; export, opt out, erase.",
    "consent": "Who agreed to what, when, how and what they were told; import consents from elsewhere.",
    "start": "Start a playbook for a customer.",
    "track": "Report one signal about a customer.",
    "serve": "Serve the API, the customers' pages, the webhooks and the dashboard.",
    "worker": "Do the work, as one of any number of Celery workers.",
    "beat": "Wake the workers for whatever is due.",
    "doctor": "Look at the settings, the database, the queues and, when asked, every invariant.",
    "restored": "Make a database that was put back from a backup safe to go on with.",
    "db": "Move the schema; look after the embedded PostgreSQL.",
}
NAMES = tuple(SUMMARIES)
_ROOMS = {
    **dict.fromkeys(
        ("demo", "check", "show", "schema", "diff", "publish", "simulate", "replay"), "playbooks"
    ),
    **dict.fromkeys(("explain", "customer", "consent", "start", "track"), "customers"),
    **dict.fromkeys(("serve", "worker", "beat", "doctor", "restored", "db"), "processes"),
}


class Commands(TyperGroup):
    """A group whose members are modules of the packages beside this file, each with an ``app``; listed by their
    summaries alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=summary) for name, summary in SUMMARIES.items()}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(NAMES)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name), rest


def load(name: str) -> Any:
    """The command, its file loaded."""
    module = importlib.import_module(f"orchestrator.cli.{_ROOMS[name]}.{name}")
    command = typer.main.get_command(module.app)
    command.name = name
    return command
