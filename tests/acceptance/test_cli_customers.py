"""From the first signal to the explanation, by the command line alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from orchestrator.bootstrap import build_engine
from orchestrator.settings import Settings
from tests.acceptance.cli import PLAYBOOKS, SIGNING_KEY, Ran, run


class Shell:
    """Commands against one database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def work(self) -> None:
        """Do what is due, as a worker would."""
        engine = build_engine(
            Settings(database_url=SecretStr(self._url), secret_keys=(SecretStr(SIGNING_KEY),))
        )
        engine.drain()
        engine.close()

    def __call__(self, *arguments: str, **more: str) -> Ran:
        return run(*arguments, database_url=self._url, **more)


@pytest.fixture
def shell(database_url: str) -> Iterator[Shell]:
    made = Shell(database_url)
    assert made("publish", str(PLAYBOOKS)).code == 0
    return made


def told_about_ada(shell: Shell) -> None:
    profile = (
        "first_name=Ada",
        "email=ada@customer.example",
        "timezone=Europe/Vienna",
        "seats=20",
        "seats_used=3",
    )
    assert shell("track", "ada", "identify", *profile).code == 0
    assert shell("track", "ada", "session_started", "--id", "s1").code == 0


def test_publishing_twice_changes_nothing(shell: Shell) -> None:
    again = shell("publish", str(PLAYBOOKS), "--json")
    assert again.code == 0
    assert {one["new"] for one in again.json["published"]} == {False}
    assert len(again.json["published"]) == len(list(PLAYBOOKS.glob("*/playbook.*")))


def test_a_signal_counts_once(shell: Shell) -> None:
    assert shell("track", "ada", "session_started", "--id", "s1", "--json").json["taken"] == 1
    assert shell("track", "ada", "session_started", "--id", "s1", "--json").json["repeated"] == 1


def test_a_playbook_is_started_once_and_explained(shell: Shell) -> None:
    told_about_ada(shell)
    first = shell("start", "ada", "export_limit_modal", "export_limit=500", "--key", "k", "--json")
    assert first.code == 0, first.err
    assert first.json["created"] is True
    again = shell("start", "ada", "export_limit_modal", "export_limit=500", "--key", "k", "--json")
    assert (again.json["id"], again.json["created"]) == (first.json["id"], False)

    explained = shell("explain", "ada")
    assert explained.code == 0
    assert "entered 'export_limit_modal'" in explained.out
    entries = shell("explain", "ada", "--json", "--playbook", "export_limit_modal").json["timeline"]
    assert entries[0]["kind"] == "start"
    assert {entry["playbook"] for entry in entries} == {"export_limit_modal"}


def test_a_refused_start_says_why(shell: Shell) -> None:
    told_about_ada(shell)
    refused = shell("start", "ada", "export_limit_modal", "--json")
    assert refused.code == 1
    assert refused.json["error"]["kind"] == "StartRefused"
    assert "export_limit" in refused.json["error"]["detail"]


def test_what_does_not_exist_is_not_found(shell: Shell) -> None:
    told_about_ada(shell)
    for arguments in (
        ("explain", "nobody"),
        ("customer", "show", "nobody"),
        ("customer", "links", "nobody"),
        ("customer", "opt-out", "nobody"),
        ("start", "ada", "no_such_playbook"),
        ("diff", "no_such_playbook", "power_user_upsell"),
    ):
        ran = shell(*arguments)
        assert ran.code == 1, arguments
        assert "no " in ran.err


def test_a_fact_without_a_value_is_a_usage_error(shell: Shell) -> None:
    assert shell("track", "ada", "session_started", "seats").code == 2
    assert shell("track", "ada", "session_started", "--at", "yesterday").code == 2


def test_a_customer_is_shown_linked_opted_out_and_erased(shell: Shell) -> None:
    told_about_ada(shell)
    shell.work()
    shown = shell("customer", "show", "ada", "--json").json
    assert shown["attributes"]["seats"] == 20
    assert shell("customer", "links", "ada", "--json").json["opt_out"].startswith("http://127.0.0.1:8080/u/")

    assert shell("start", "ada", "export_limit_modal", "export_limit=500").code == 0
    receipt = shell("customer", "opt-out", "ada", "--topic", "upsell", "--json").json
    assert receipt["already"] is False
    assert shell("customer", "opt-out", "ada", "--topic", "upsell", "--json").json["already"] is True
    assert "opted out of 'upsell'" in shell("explain", "ada").out

    assert shell("customer", "export", "ada").json["customer"]["key"] == "ada"
    assert shell("customer", "erase", "ada", "--yes").code == 0
    assert shell("customer", "show", "ada").code == 1


def test_published_and_local_versions_are_compared(shell: Shell) -> None:
    assert shell("diff", "power_user_upsell", str(PLAYBOOKS / "power_user_upsell")).code == 0
    other = shell("diff", "power_user_upsell@1", str(PLAYBOOKS / "event_push"), "--json")
    assert other.code == 1
    assert "banner" in other.json["steps"]["removed"]


def test_the_doctor_is_content_with_a_sound_database(shell: Shell) -> None:
    told_about_ada(shell)
    found = shell("doctor", "--invariants", "--json")
    assert found.code == 0, found.out
    assert {"about": "invariants", "ok": True, "words": "every one holds"} in found.json["findings"]


def test_the_doctor_points_at_an_engine_without_playbooks(database_url: str) -> None:
    found = run("doctor", database_url=database_url)
    assert found.code == 1
    assert "orchestrator publish" in found.out
