"""The folder one test run shares among its processes, and what it leaves to be cleaned up.

The first process (the controller, or the only one) makes it and names it in the environment, so that xdist's workers
find it. Servers live in it. A run that was killed cannot clean up: the next run does, for every folder whose
controller is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.embedded_postgres.postgres_binaries import command_line, is_alive
from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.errors import OrchestratorError

_VARIABLE = "ORCHESTRATOR_TEST_RUN"
_OURS = ("orchestrator.cli", "workers.app", "tests.fakes")  # so a process is called that may be left over
_PARENT = Path(tempfile.gettempdir()) / f"orchestrator-tests-{os.geteuid()}"


def open_run() -> Path | None:
    """Make the folder of this run; None in a process that found one already (it is not the controller)."""
    if os.environ.get(_VARIABLE):
        return None
    _PARENT.mkdir(mode=0o755, exist_ok=True)
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=_PARENT))
    folder.chmod(0o755)  # the database server may run as another user
    (folder / "controller").write_text(str(os.getpid()))
    os.environ[_VARIABLE] = str(folder)
    return folder


def run_folder() -> Path:
    return Path(os.environ[_VARIABLE])


def close_run(folder: Path) -> None:
    """Stop what runs in the folder and remove it."""
    os.environ.pop(_VARIABLE, None)
    _clean(folder)


@contextmanager
def one_at_a_time(name: str) -> Iterator[Path]:
    """A lock among the processes of this run; yields a path that a first comer may leave its result in."""
    with (run_folder() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield run_folder() / name


def note_process(pid: int) -> None:
    """A process that leads a group of its own, to be ended should this run be killed."""
    (run_folder() / f"process-{pid}").touch()


def note_cluster(data_dir: Path) -> None:
    """A PostgreSQL of its own in another folder, to be stopped should this run be killed."""
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    (run_folder() / f"cluster-{name}").write_text(str(data_dir))


def _sweep() -> None:
    for folder in _PARENT.glob("run-*"):
        with contextlib.suppress(OSError, ValueError):
            if not is_alive(int((folder / "controller").read_text())):
                _clean(folder)


def _clean(folder: Path) -> None:
    for noted in folder.glob("process-*"):
        pid = int(noted.name.rpartition("-")[2])
        with contextlib.suppress(OSError):
            if any(name in command_line(pid) for name in _OURS) and os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
    for noted in folder.glob("cluster-*"):
        with contextlib.suppress(OSError, OrchestratorError):
            EmbeddedPostgres(Path(noted.read_text())).stop()
    if (folder / "postgres").exists():
        EmbeddedPostgres(folder, durable=False).stop()
    for pid_file in folder.glob("redis-*/pid"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(pid_file.read_text())
            if "redis-server" in command_line(pid):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
