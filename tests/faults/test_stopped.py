"""A process that is stopped in the middle of a batch (SIGSTOP, a paused machine, swap) loses its locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from orchestrator.records.intake import Identify
from tests.support.engine import EVIDENCE, real_engine

BATCH = """
import os, signal, sys
from sqlalchemy import text
from orchestrator.service.context import alone
from tests.support.engine import real_engine

engine = real_engine(sys.argv[1])
with engine.services.batch(alone(1)) as batch:
    batch.transaction.connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1s'"))
    batch.transaction.batches.load([1], batch.now)
    if sys.argv[2] == "saved":
        for customer in batch:
            customer.profile_changed = True
        batch.save()
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture(params=["loaded", "saved"])
def stopped(database_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database in which a stopped process holds the lock on its only customer."""
    engine = real_engine(database_url)
    engine.identify([Identify(key="anna", traits={"email": "anna@shop.example"})])
    engine.drain()
    engine.close()
    process = subprocess.Popen([sys.executable, "-c", BATCH, database_url, request.param])
    try:
        pid, status = os.waitpid(process.pid, os.WUNTRACED)
        assert pid == process.pid
        assert os.WIFSTOPPED(status)
        yield database_url
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def test_a_stopped_process_loses_its_locks(stopped: str) -> None:
    plain = stopped.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        connection.execute("SET lock_timeout = '4s'")
        began = time.monotonic()
        connection.execute("SELECT id FROM customers WHERE id = 1 FOR UPDATE")
        assert time.monotonic() - began > 0.1, "it was held"
    engine = real_engine(stopped)
    assert engine.opt_out("anna", evidence=EVIDENCE)
    engine.close()
