"""Rehearsals: the same seed gives the same bytes, nothing is left behind, every invariant holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.acceptance.cli import PLAYBOOKS, Ran, run
from tests.support.installation import eventually

SMALL = ("--customers", "60", "--days", "21", "--json")


def simulated(url: str, *arguments: str, new_interpreter: bool = False) -> Ran:
    ran = run("simulate", *arguments, database_url=url, new_interpreter=new_interpreter)
    assert ran.code == 0, ran.err
    return ran


def scratch_databases(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        names = connection.execute(
            text("SELECT datname FROM pg_database WHERE datname LIKE 'orchestrator_scratch_%'")
        )
        found = [row.datname for row in names]
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def printed(postgres_url: str) -> Ran:
    return simulated(postgres_url, str(PLAYBOOKS), *SMALL)


@pytest.fixture(scope="module")
def whole(printed: Ran) -> dict[str, Any]:
    report: dict[str, Any] = printed.json
    return report


def test_the_same_seed_gives_the_same_bytes(postgres_url: str, printed: Ran) -> None:
    """In a new interpreter, where hashes and the order of sets are others."""
    assert simulated(postgres_url, str(PLAYBOOKS), *SMALL, new_interpreter=True).out == printed.out


def test_another_seed_gives_another_report(postgres_url: str, whole: dict[str, Any]) -> None:
    other = simulated(postgres_url, str(PLAYBOOKS), *SMALL, "--seed", "2").json
    assert other["playbooks"] != whole["playbooks"]


def test_every_playbook_is_told_about_and_somebody_entered(whole: dict[str, Any]) -> None:
    assert {one["playbook"] for one in whole["playbooks"]} == {
        path.parent.name for path in PLAYBOOKS.glob("*/playbook.*")
    }
    assert sum(one["entered"] for one in whole["playbooks"]) > 10


def test_messages_went_out_on_several_channels_and_some_were_held_back(whole: dict[str, Any]) -> None:
    sent = {one["channel"]: one["sent"] for one in whole["channels"]}
    assert sent["in_app"] > 0
    assert sent["email"] > 0
    assert whole["held_back"]


def test_no_invariant_is_broken(whole: dict[str, Any]) -> None:
    assert whole["violations"] == []


def test_what_was_entered_is_live_or_ended(whole: dict[str, Any]) -> None:
    for one in whole["playbooks"]:
        assert one["entered"] == one["live"] + sum(times for _, times in one["ended"])
        assert one["entered"] == sum(arm["entered"] for arm in one["arms"])


def test_nothing_is_left_on_the_server(postgres_url: str) -> None:
    before = scratch_databases(postgres_url)
    simulated(postgres_url, "export_limit_modal", "--customers", "10", "--days", "3", "--json")
    new = set(scratch_databases(postgres_url)) - set(before)
    # Other tests rehearse on this server meanwhile; what is theirs goes too.
    eventually(lambda: not new & set(scratch_databases(postgres_url)), about=f"{new} are dropped")


def test_one_playbook_is_rehearsed_by_its_name_with_those_it_begins(postgres_url: str) -> None:
    report = simulated(postgres_url, "export_limit_modal", "--customers", "40", "--days", "14", "--json").json
    names = {one["playbook"] for one in report["playbooks"]}
    assert names == {"export_limit_modal", "negative_answer"}  # which a no begins, by policy.yaml


def test_the_report_is_readable_without_json(postgres_url: str) -> None:
    ran = simulated(postgres_url, "export_limit_modal", "--customers", "40", "--days", "14")
    for words in ("What each playbook did", "Messages by channel", "Held back, and why", "Every invariant"):
        assert words in ran.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("no_such_playbook",), 1),
        (("power_user_upsell", "--from", "soon"), 2),
        (("power_user_upsell", "--tick", "1 second"), 2),
        (("power_user_upsell", "--customers", "0"), 2),
    ],
)
def test_a_rehearsal_that_cannot_be_is_refused(
    postgres_url: str, arguments: tuple[str, ...], code: int
) -> None:
    assert run("simulate", *arguments, database_url=postgres_url).code == code


def test_a_playbook_with_errors_is_not_rehearsed(postgres_url: str, tmp_path: Path) -> None:
    home = tmp_path / "playbooks" / "broken"
    home.mkdir(parents=True)
    (home / "playbook.yaml").write_text("playbook: broken\nversion: 1\n")
    ran = run("simulate", home, database_url=postgres_url)
    assert ran.code == 1
    assert f"{home / 'playbook.yaml'}:1:" in ran.err


def recorded(folder: Path) -> Path:
    lines = [
        {
            "customer": "ada",
            "at": "2026-03-02T08:00:00Z",
            "traits": {"email": "a@x.example", "timezone": "UTC"},
        },
        {"customer": "ada", "at": "2026-03-02T08:01:00Z", "event": "session_started"},
        {"customer": "ada", "at": "2026-03-02T08:02:00Z", "event": "core_feature_activated"},
        {
            "customer": "ada",
            "at": "2026-03-02T09:00:00Z",
            "event": "export_limit_reached",
            "properties": {"export_limit": 50},
            "id": "x1",
        },
    ]
    path = folder / "signals.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_recorded_signals_are_replayed(postgres_url: str, tmp_path: Path) -> None:
    ran = run("replay", recorded(tmp_path), "export_limit_modal", "--json", database_url=postgres_url)
    assert ran.code == 0, ran.err
    (playbook,) = (one for one in ran.json["playbooks"] if one["playbook"] == "export_limit_modal")
    assert (ran.json["customers"], ran.json["signals"], playbook["entered"]) == (1, 3, 1)
    assert ran.json["start"] == "2026-03-02T08:00:00+00:00"


def test_nobody_in_a_recording_answers_unless_asked_to(postgres_url: str, tmp_path: Path) -> None:
    ran = run("replay", recorded(tmp_path), "export_limit_modal", "--json", database_url=postgres_url)
    assert all(not channel["responses"] for channel in ran.json["channels"])


def test_a_bad_recording_is_refused_with_its_lines(postgres_url: str, tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    path.write_text('{"customer": "ada"}\nnonsense\n')
    ran = run("replay", path, database_url=postgres_url)
    assert ran.code == 1
    assert f"{path}:1:1:" in ran.err
    assert f"{path}:2:1:" in ran.err
