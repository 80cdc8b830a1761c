"""A process that is stopped in the middle of a batch (SIGSTOP, a paused machine, swap) loses its locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from orchestrator.errors import Contended
from orchestrator.records.intake import Identify
from orchestrator.service.context import alone
from orchestrator.store.batch import claim
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
SENDING = """
import os, signal, sys
from sqlalchemy import text
from orchestrator.service.context import alone
from orchestrator.store.sql.pipeline import together
from tests.support.engine import real_engine

engine = real_engine(sys.argv[1])
with engine.services.batch(alone(1)) as batch:
    connection = batch.transaction.connection
    with together(connection):
        connection.execute(text("UPDATE customers SET tags = tags WHERE id = 1"))
        driver = connection.connection.driver_connection
        driver.pgconn.send_flush_request()
        driver.pgconn.flush()
        os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture(params=["loaded", "saved"])
def stopped(database_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database in which a stopped process holds the lock on its only customer."""
    with _stopped(database_url, BATCH, request.param) as held:
        yield held


@pytest.fixture
def stopped_while_sending(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same, stopped between two statements of a pipeline, where PostgreSQL has no time-out that runs."""
    monkeypatch.setattr(claim, "SILENT_FOR", timedelta(seconds=0.5))
    with _stopped(database_url, SENDING) as held:
        yield held


@contextmanager
def _stopped(database_url: str, script: str, *arguments: str) -> Iterator[str]:
    engine = real_engine(database_url)
    engine.identify([Identify(key="anna", traits={"email": "anna@shop.example"})])
    engine.drain()
    engine.close()
    process = subprocess.Popen([sys.executable, "-c", script, database_url, *arguments])
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


def test_a_process_that_is_stopped_while_sending_loses_its_locks_to_the_sweep(
    stopped_while_sending: str,
) -> None:
    engine = real_engine(stopped_while_sending)
    with pytest.raises(Contended), engine.services.batch(alone(1)):
        pass
    engine.sweep()
    with engine.services.batch(alone(1)) as batch:
        assert [customer.customer_id for customer in batch] == [1]
    engine.close()


def test_a_withdrawal_does_not_wait_for_the_sweep(stopped_while_sending: str) -> None:
    engine = real_engine(stopped_while_sending)
    assert engine.opt_out("anna", evidence=EVIDENCE)
    engine.close()
