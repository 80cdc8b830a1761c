"""A whole installation as real processes: web, workers, beats, and the fake provider that judges them.

Time is short because business time runs fast (ORCHESTRATOR_CLOCK_RATE); tests wait for facts, with a deadline.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import Engine, text

from orchestrator.bootstrap import build_engine
from orchestrator.settings import load_settings
from orchestrator.store.reports.invariants import Violation, check_invariants
from orchestrator.store.sql.connections import make_engine
from tests.support.run_folder import note_process
from tests.support.services import free_port

ROOT = Path(__file__).parents[2]
API_KEY = "key-of-the-product-under-test"
COMMAND = [sys.executable, "-m", "orchestrator.cli.app"]
T = TypeVar("T")


def eventually(fact: Callable[[], T], *, seconds: float = 30, about: str = "") -> T:
    """``fact()`` once it is true; fails with what it was last."""
    ends = time.monotonic() + seconds
    while True:
        found = fact()
        if found:
            return found
        assert time.monotonic() < ends, f"not within {seconds} s: {about or fact}; last seen {found!r}"
        time.sleep(0.05)


class Provider:
    """The fake provider as a process of its own. ``arguments`` are its command's."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._http = httpx.Client(base_url=self.url, timeout=20)
        command = [
            sys.executable,
            "-m",
            "tests.fakes.provider",
            "--port",
            self.url.rpartition(":")[2],
            *arguments,
        ]
        self.process = Process("provider", command, environment={**os.environ}, log=log)
        eventually(self._answers, about="the fake provider answers")
        self.keys: dict[str, str] = self._http.get("/_fake/keys").json()

    def sent(self) -> list[dict[str, Any]]:
        """The requests by which a message was really taken, in order."""
        entries = self._http.get("/_fake/ledger").json()["entries"]
        return [entry for entry in entries if entry["taken"]]

    def control(self, what: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"/_fake/{what}", json=body).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def close(self) -> None:
        self.process.kill()
        self._http.close()

    def _answers(self) -> bool:
        self.process.expect_running()
        with contextlib.suppress(httpx.HTTPError):
            return self._http.get("/_fake/keys").is_success
        return False


class Process:
    """One process (and whatever it forks), its log kept for the report of a failure."""

    def __init__(self, name: str, command: list[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        note_process(self.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def expect_running(self) -> None:
        assert self._process.poll() is None, f"{self.name} ended: {self.log.read_text()[-3000:]}"

    def expect_log(self, event: str, *, seconds: float = 90) -> None:
        """Wait until it has logged ``event``."""

        def logged() -> bool:
            self.expect_running()
            return self.has_logged(event)

        eventually(logged, seconds=seconds, about=f"{self.name} logs {event}")

    def has_logged(self, event: str) -> bool:
        return f'"{event}"' in self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The processes it forked."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def freeze(self) -> None:
        """SIGSTOP to it and all its children."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """``kill -9`` to it and all its children at once."""
        self._signal(signal.SIGKILL)
        self._process.wait(timeout=20)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def end(self, seconds: float = 30) -> int:
        """An orderly end; its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=seconds)


class Installation:
    """Processes over one database and one broker. ``settings`` are ORCHESTRATOR_ variables without the prefix."""

    def __init__(
        self, folder: Path, *, database_url: str, broker_url: str | None, provider: Provider, **settings: Any
    ) -> None:
        self.folder, self.provider = folder, provider
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        ours = {
            "ENV": "test",
            "PORT": self.port,
            "DATA_DIR": folder / "data",
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "API_KEYS": f"product:{API_KEY}:product+read+operate",
            "SECRET_KEYS": "a-signing-key-of-the-process-tests-long-enough",
            "SENDGRID_API_KEY": provider.keys["api_key"],
            "SENDGRID_WEBHOOK_PUBLIC_KEY": provider.keys["public_key"],
            "SENDGRID_BASE_URL": provider.url,
            "EMAIL_FROM": "hello@shop.example.test",
            "LOG_FORMAT": "json",
            **settings,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        given = {f"ORCHESTRATOR_{name}": str(value) for name, value in ours.items() if value is not None}
        self.environment = {**clean, **given, "PYTHONUNBUFFERED": "1"}
        self.settings = load_settings(given)
        self.database: Engine = make_engine(database_url, application_name="judge")
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=20
        )
        self.processes: list[Process] = []

    def publish(self, playbooks: Path) -> None:
        engine = build_engine(self.settings)
        engine.publish(playbooks)
        engine.close()

    def web(self) -> Process:
        started = self._start("serve")

        def ready() -> bool:
            started.expect_running()
            with contextlib.suppress(httpx.TransportError):
                return self.http.get("/readyz").is_success
            return False

        eventually(ready, seconds=60, about="the web process is ready")
        return started

    def worker(self, *arguments: str) -> Process:
        return self._start("worker", *(arguments or ("--concurrency", "2")))

    def beat(self) -> Process:
        return self._start("beat")

    def _start(self, *arguments: str) -> Process:
        name = f"{arguments[0]}-{len(self.processes)}"
        process = Process(
            name, [*COMMAND, *arguments], environment=self.environment, log=self.folder / f"{name}.log"
        )
        self.processes.append(process)
        return process

    def command(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """One command of the CLI, to its end."""
        return subprocess.run(
            [*COMMAND, *arguments], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.database.connect() as connection:
            return list(connection.execute(text(statement), values).all())

    def violations(self) -> list[Violation]:
        with self.database.connect() as connection:
            return check_invariants(connection)

    def ended(self) -> dict[str, str]:
        """Customer key to the word with which her walk ended."""
        found = self.rows(
            "SELECT c.key, e.end_status FROM enrollments e JOIN customers c ON c.id = e.customer_id"
            " WHERE e.ended_at IS NOT NULL"
        )
        return {row.key: row.end_status for row in found}

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        self.http.close()
        self.database.dispose()

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-2500:]}" for path in self.folder.glob("*.log"))
