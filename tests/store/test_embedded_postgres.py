"""The embedded PostgreSQL is started, joined, recovered and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestrator.embedded_postgres.postgres_binaries import find_programs, open_copy
from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.errors import EmbeddedError

START = """
import sys
from pathlib import Path
from orchestrator.embedded_postgres.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.started_here)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    server = EmbeddedPostgres(tmp_path, durable=False)
    yield server
    server.stop()


def _connect(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)


def _postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def test_it_starts_answers_and_stops(server: EmbeddedPostgres) -> None:
    server.start()
    with _connect(server) as connection:
        row = connection.execute("SELECT current_database(), current_setting('listen_addresses')").fetchone()
    assert row == ("orchestrator", "")
    assert server.started_here
    assert server.stop()
    assert not server.is_running()
    assert not server.stop(), "there is nothing left to stop"


def test_a_second_process_joins_and_leaves_it_running(server: EmbeddedPostgres) -> None:
    server.start()
    joined = subprocess.run(
        [sys.executable, "-c", START, server.home.parent], capture_output=True, text=True, check=True
    )
    assert joined.stdout == "False\n"
    assert server.is_running()


def test_many_starts_at_once_make_one_server(server: EmbeddedPostgres) -> None:
    starts = [
        subprocess.Popen([sys.executable, "-c", START, server.home.parent], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in starts]
    assert sorted(answers) == ["False", "False", "False", "True"]


def test_what_was_committed_outlives_a_kill(tmp_path: Path, server: EmbeddedPostgres) -> None:
    server.start()
    with _connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        connection.execute("CHECKPOINT")
        os.kill(_postmaster(server), signal.SIGKILL)
    server.start()
    with _connect(server) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_stale_pid_that_now_belongs_to_another_program_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(
        f"{os.getppid()}\n{server.data}\n1\n5432\n{server.home / 'run'}\n\n"
    )
    assert not server.is_running()
    server.start()
    assert server.is_running()


def test_an_initdb_cut_short_is_begun_again(server: EmbeddedPostgres) -> None:
    left_over = server.home / "data.new"
    left_over.mkdir(parents=True)
    (left_over / "PG_VERSION").write_text("18")
    server.start()
    assert server.is_running()
    assert not left_over.exists()


def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    tmp_path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    server = EmbeddedPostgres(tmp_path / ("long" * 25), durable=False)
    try:
        server.start()
        with _connect(server) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        server.start(seconds=5)


def test_files_of_a_version_that_is_not_installed_are_left_alone(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 12 is needed by the data folder; installed: .*18"):
        server.start()
    assert find_programs(18).name == "bin"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="about root on Linux")
def test_root_keeps_its_data_in_a_folder_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    server = EmbeddedPostgres(tmp_path, durable=False)
    try:
        server.start()
        assert Path(f"/proc/{_postmaster(server)}").stat().st_uid != 0
    finally:
        server.stop()


def test_programs_nobody_else_can_reach_run_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    copy = open_copy(find_programs())
    for program in ("initdb", "pg_ctl", "postgres"):
        subprocess.run([copy / program, "--version"], check=True, stdout=subprocess.DEVNULL)
    assert open_copy(find_programs()) == copy, "made once"
