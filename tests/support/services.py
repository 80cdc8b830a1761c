"""What to do when a service is not there: skip at home, fail where CI promised it."""

from __future__ import annotations

import os
import socket
from typing import NoReturn

import pytest


def missing(service: str, why: str) -> NoReturn:
    text = f"{service} is not available: {why}"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
