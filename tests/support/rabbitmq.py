"""A virtual host of one's own on a RabbitMQ of this machine, so that runs never take each other's wake-ups."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from kombu import Connection

from tests.support.run_folder import run_folder
from tests.support.services import missing

_numbers = itertools.count(1)


@contextmanager
def own_virtual_host(url: str) -> Iterator[str]:
    """The URL of a virtual host that exists for this long. Needs rabbitmqctl and the right to use it."""
    parts = urlsplit(url)
    name = f"orchestrator-{run_folder().name}-{os.getpid()}-{next(_numbers)}"
    program = shutil.which("rabbitmqctl") or missing(
        "RabbitMQ", "rabbitmqctl is needed to make a virtual host"
    )
    try:
        _control(program, "add_vhost", name)
        _control(program, "set_permissions", "-p", name, parts.username or "guest", ".*", ".*", ".*")
    except subprocess.SubprocessError as error:
        missing("RabbitMQ", f"no virtual host can be made: {error}")
    own = parts._replace(path=f"/{quote(name, safe='')}").geturl()
    try:
        _greet(own)
        yield own
    finally:
        _control(program, "delete_vhost", name)


def _greet(url: str) -> None:
    """A virtual host that was just made takes its time."""
    with Connection(url) as connection:
        connection.ensure_connection(max_retries=20, interval_start=0.1, interval_step=0.1)


def _control(program: str, *arguments: str) -> None:
    subprocess.run([program, "--quiet", *arguments], check=True, capture_output=True, timeout=60)
