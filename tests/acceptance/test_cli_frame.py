"""What holds for every command: help, exit codes, and errors that are messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.commands import NAMES
from tests.acceptance.cli import run

AWAY = "postgresql://somebody:very-secret@127.0.0.1:1/nothing"


@pytest.mark.parametrize("command", NAMES)
def test_every_command_explains_itself(command: str) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out


def test_help_lists_every_command_and_the_exit_codes() -> None:
    ran = run("--help")
    assert ran.code == 0
    for name in NAMES:
        assert f" {name} " in ran.out
    assert "3 the database or broker cannot be reached" in " ".join(ran.out.split())


def test_without_a_command_the_help_is_shown_and_nothing_is_done() -> None:
    ran = run()
    assert ran.code == 2
    assert "Usage" in ran.out


def test_a_word_that_is_no_command_is_a_usage_error() -> None:
    ran = run("publsh")
    assert ran.code == 2
    assert "publsh" in ran.err


def test_the_version_is_told() -> None:
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.strip()[0].isdigit()


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "ada"),
        ("customer", "show", "ada"),
        ("customer", "links", "ada"),
        ("start", "ada", "power_user_upsell"),
        ("track", "ada", "session_started"),
        ("publish",),
        ("doctor",),
        ("db", "current"),
        ("db", "upgrade"),
        ("simulate", "power_user_upsell"),
        ("demo", "--no-serve"),
        ("serve",),
    ],
)
def test_a_database_that_is_away_is_exit_code_three_and_one_message(arguments: tuple[str, ...]) -> None:
    ran = run(*arguments, database_url=AWAY)
    assert ran.code == 3, ran.err
    reports = arguments == ("doctor",)  # what it finds is its answer, not an error
    told, silent = (ran.out, ran.err) if reports else (ran.err, ran.out)
    assert told.count("does not answer") == 1
    assert not silent
    assert "very-secret" not in ran.err + ran.out


def test_wrong_settings_are_all_told_at_once() -> None:
    ran = run("doctor", PORT="none", LOG_LEVEL="loud", BATCH_SIZE="0")
    assert ran.code == 2
    for name in ("PORT", "LOG_LEVEL", "BATCH_SIZE"):
        assert f"ORCHESTRATOR_{name}" in ran.err


def test_a_misspelt_setting_is_pointed_out() -> None:
    ran = run("doctor", DATABASE_ULR="postgresql://x/y")
    assert ran.code == 2
    assert "ORCHESTRATOR_DATABASE_URL" in ran.err


def test_json_answers_errors_as_json_too() -> None:
    ran = run("explain", "ada", "--json", database_url=AWAY)
    assert ran.code == 3
    assert ran.json["error"]["kind"] == "Unavailable"
    assert ran.json["error"]["exit_code"] == 3


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_workers_say_what_they_need(command: str, tmp_path: Path) -> None:
    ran = run(command, DATA_DIR=str(tmp_path))
    assert ran.code == 2
    assert "ORCHESTRATOR_BROKER_URL" in ran.err


def test_a_database_without_our_schema_is_not_touched(empty_database_url: str) -> None:
    ran = run("explain", "ada", database_url=empty_database_url)
    assert ran.code == 1
    assert "orchestrator db upgrade" in ran.err
    assert run("db", "current", database_url=empty_database_url).code == 1


def test_the_schema_goes_forward_and_back(empty_database_url: str) -> None:
    assert run("db", "upgrade", "--json", database_url=empty_database_url).json["before"] is None
    assert "nothing to do" in run("db", "upgrade", database_url=empty_database_url).out
    assert run("db", "current", database_url=empty_database_url).code == 0
    refused = run("db", "downgrade", "base", database_url=empty_database_url, stdin="n\n")
    assert refused.code == 1
    assert run("db", "current", database_url=empty_database_url).code == 0
    assert run("db", "downgrade", "base", "--yes", database_url=empty_database_url).code == 0
    assert run("db", "current", "--json", database_url=empty_database_url).json["revision"] is None


def test_a_revision_that_does_not_exist_is_refused(empty_database_url: str) -> None:
    ran = run("db", "upgrade", "nonsense", database_url=empty_database_url)
    assert ran.code == 1
    assert "nonsense" in ran.err


def test_the_url_is_shown_without_its_password() -> None:
    ran = run("db", "url", database_url=AWAY)
    assert "very-secret" not in ran.out
    assert "127.0.0.1" in ran.out


def test_the_embedded_database_starts_with_the_first_command_and_stops_when_told(tmp_path: Path) -> None:
    home = {"DATA_DIR": str(tmp_path / "data")}
    assert run("db", "upgrade", **home).code == 0
    try:
        assert run("db", "current", **home).code == 0
    finally:
        stopped = run("db", "stop", **home)
    assert stopped.out.strip() == "stopped"
    assert run("db", "stop", **home).out.strip() == "it was not running"
