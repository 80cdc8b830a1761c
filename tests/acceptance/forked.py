"""The command as a process that need not import first: forked from one that has imported everything.

It is a process like any other: its own arguments, environment, folder, input and output, and an exit code. Only the
second in which Python reads the same modules again is saved. What depends on a new interpreter (its hash seed, say)
asks for one: ``run(..., new_interpreter=True)``.
"""

from __future__ import annotations

import atexit
import importlib
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
from multiprocessing.context import ForkServerContext
from pathlib import Path

from orchestrator import cli

_USED_BY_COMMANDS = ("orchestrator.bootstrap", "orchestrator.store.migrate", "orchestrator.simulator.run")


def read_everything() -> None:
    """What the process does, once, that all commands are forked from."""
    for module in pkgutil.walk_packages(cli.__path__, "orchestrator.cli."):
        importlib.import_module(module.name)
    for name in _USED_BY_COMMANDS:
        importlib.import_module(name)


def forked(
    arguments: list[str], *, folder: Path, environment: dict[str, str], stdin: str | None, seconds: float
) -> subprocess.CompletedProcess[str]:
    """``orchestrator ARGUMENTS``, as ``subprocess.run`` would have run it."""
    with tempfile.TemporaryDirectory(prefix="command-") as held:
        streams = [Path(held) / name for name in ("in", "out", "err")]
        for stream, text in zip(streams, (stdin or "", "", ""), strict=True):
            stream.write_text(text)
        process = _context().Process(target=_command, args=(arguments, folder, environment, streams))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, seconds)
        out, err = (stream.read_text() for stream in streams[1:])
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.acceptance.preloaded"])
    return context


def _command(arguments: list[str], folder: Path, environment: dict[str, str], streams: list[Path]) -> None:
    from orchestrator.cli.app import main

    for number, stream in enumerate(streams):
        opened = os.open(stream, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["orchestrator", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
