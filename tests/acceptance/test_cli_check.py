"""``orchestrator check``: every problem with its place, without a database."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.cli import PLAYBOOKS, ROOT, run

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

GOOD = """\
playbook: hello
version: 1
title: Says hello in the product
topic: upsell
enter: {reentry: never, because: "you are here"}
steps:
  hello: {send: {channel: in_app, template: hello}, wait: 1d, then: {clicked: done, no_response: done}}
  done: {end: finished}
"""
POLICY = "topics: {upsell: {title: Offers}}\n"
TEMPLATE = "---\ntitle: Hello\n---\n<p>Hello.</p>\n"


def a_folder(place: Path, playbook: str = GOOD) -> Path:
    home = place / "playbooks" / "hello"
    home.mkdir(parents=True)
    (home / "playbook.yaml").write_text(playbook)
    (home / "hello.in_app.html").write_text(TEMPLATE)
    (home.parent / "policy.yaml").write_text(POLICY)
    return home.parent


def test_a_good_playbook_passes_even_when_the_database_is_away(tmp_path: Path) -> None:
    ran = run("check", a_folder(tmp_path), database_url=NOWHERE)
    assert (ran.code, ran.out) == (0, "")
    assert "checked hello: 0 errors" in ran.err


def test_problems_are_printed_with_file_line_and_column_all_at_once(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, GOOD.replace("clicked: done", "clickd: done").replace("upsell", "upsel"))
    ran = run("check", folder)
    assert ran.code == 1
    lines = ran.out.splitlines()
    path = folder / "hello" / "playbook.yaml"
    assert [line.removeprefix(f"{path}:")[:2] for line in lines] == ["4:", "7:", "7:"], ran.out
    assert "did you mean 'upsell'?" in lines[0]
    assert "did you mean 'clicked'?" in lines[-1]


def test_one_playbook_may_be_named_by_its_folder_or_its_file(tmp_path: Path) -> None:
    home = a_folder(tmp_path) / "hello"
    for path in (home, home / "playbook.yaml"):
        assert run("check", path).code == 0


def test_json_holds_the_same_problems(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, GOOD.replace("upsell", "upsel"))
    ran = run("check", folder, "--json")
    assert ran.code == 1
    assert ran.json["ok"] is False
    (playbook,) = ran.json["playbooks"]
    assert playbook["ok"] is False
    assert any(one["line"] == 4 and one["path"].endswith("playbook.yaml") for one in ran.json["problems"])


def test_warnings_stop_only_who_asks_for_it(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, GOOD.replace("clicked: done, ", ""))
    assert run("check", folder).code == 0
    strict = run("check", folder, "--strict")
    assert strict.code == 1
    assert "warning" in strict.out


@pytest.mark.parametrize("name", ["missing", "empty", "notes.txt"])
def test_a_path_that_holds_no_playbook_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    ran = run("check", tmp_path / name)
    assert ran.code == 1
    assert str(tmp_path / name) in ran.out


def test_bytes_that_are_no_text_are_a_problem_like_any_other(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    (folder / "hello" / "playbook.yaml").write_bytes(b"\xff\xfe\x00\x01")
    assert run("check", folder).code == 1


def test_a_program_that_is_no_playbook_is_a_problem_like_any_other(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    (folder / "hello" / "playbook.yaml").unlink()
    (folder / "hello" / "playbook.py").write_text("import os\nos.abort()\n")
    ran = run("check", folder)
    assert ran.code == 1
    assert "playbook.py" in ran.out


def test_the_settings_name_the_folder_when_the_command_line_does_not(tmp_path: Path) -> None:
    ran = run("check", PLAYBOOKS=str(a_folder(tmp_path)))
    assert ran.code == 0
    assert "checked hello" in ran.err


def test_the_shipped_playbooks_and_the_examples_pass() -> None:
    for folder in (PLAYBOOKS, ROOT / "examples" / "ravenstack" / "playbooks"):
        ran = run("check", folder)
        assert ran.code == 0, ran.out


def test_a_playbook_taken_out_of_its_folder_misses_what_was_beside_it(tmp_path: Path) -> None:
    shutil.copytree(PLAYBOOKS / "power_user_upsell", tmp_path / "alone" / "power_user_upsell")
    ran = run("check", tmp_path / "alone")
    assert ran.code == 1
    assert "usage_reported" in ran.out
