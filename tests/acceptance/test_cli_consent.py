"""Consents by the command line: imported from files, shown with their evidence; history let go of."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.cli import PLAYBOOKS, run

CSV = """customer,action,occurred_at,channel,topic,source,wording,evidence.ip,id
ada,granted,2026-01-10T09:00:00Z,sms,upsell,signup form,"Yes, text me.",192.0.2.7,a1
ada,granted,yesterday,sms,upsell,signup form,,,
bob,revoked,2026-01-11T09:00:00Z,,,letter,,,
bob,granted,2026-01-11T09:00:00Z,pigeon,,letter,,,
"""


def test_good_lines_are_kept_bad_ones_are_named_and_all_count_once(database_url: str, tmp_path: Path) -> None:
    assert run("publish", PLAYBOOKS, database_url=database_url).code == 0
    file = tmp_path / "old shop.csv"
    file.write_text(CSV)

    first = run("consent", "import", file, "--json", database_url=database_url)
    again = run("consent", "import", file, database_url=database_url)

    assert first.code == 1
    assert (first.json["taken"], first.json["repeated"]) == (2, 0)
    assert [one["line"] for one in first.json["refused"]] == [3, 5]
    assert again.code == 1
    assert "0 taken, 2 known before, 2 refused" in again.out
    assert f"{file}:3: occurred_at: expected an instant" in again.err
    assert f"{file}:5: channel: expected" in again.err

    lines = tmp_path / "crm.jsonl"
    rows = [
        {"customer": "ada", "action": "revoked", "occurred_at": "2026-02-01T09:00:00Z", "source": "crm",
         "evidence": {"ticket": "17"}, "wording": None},
        {"customer": "ada", "acton": "revoked"},
    ]  # fmt: skip
    lines.write_text("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    assert run("consent", "import", lines, "--json", database_url=database_url).json["taken"] == 1

    shown = run("consent", "show", "ada", database_url=database_url)
    assert shown.code == 0
    assert "Yes, text me." in shown.out
    found = run("consent", "show", "ada", "--json", database_url=database_url).json
    assert [one["action"] for one in found["entries"]] == ["granted", "revoked"]
    assert found["entries"][0]["evidence"] == {"ip": "192.0.2.7"}
    assert {one["says"] for one in found["in_force"] if one["topic"] != "tracking"} == {"withdrawn"}

    assert run("consent", "show", "nobody", database_url=database_url).code == 1
    assert run("consent", "import", tmp_path / "no such file", database_url=database_url).code == 1


def test_history_is_let_go_of_on_demand(database_url: str) -> None:
    assert run("publish", PLAYBOOKS, database_url=database_url).code == 0
    pruned = run("db", "prune", "--json", database_url=database_url)
    assert pruned.code == 0
    assert pruned.json["pruned"]["journal"] == 0
