"""A third party adds the channel ``push`` in two files, an adapter and a row; nothing of the engine is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels import registry
from orchestrator.cli.exits import Exit
from orchestrator.errors import StartRefused
from orchestrator.language.writing.json_schema import playbook_schema
from orchestrator.settings import Settings
from orchestrator.store.customers import find
from orchestrator.testing import TestEngine, account_files, playbook_files
from tests.acceptance.cli import ROOT, run
from tests.channels.receiver import Receiver
from tests.support.packages import install, on_the_path
from tests.support.services import free_port
from tests.web.served import serving

EVENING = datetime(2026, 3, 3, 21, tzinfo=UTC)  # a Tuesday
TOKEN = "token-of-annas-phone"

ENTRY_POINTS = {
    "orchestrator.channels": {"push": "tests.channels.push_plugin.adapter:from_settings"},
    "orchestrator.channel_traits": {"push": "tests.channels.push_plugin.row:PUSH"},
}
POLICY = """
caps: [{at_most: 1, within: 7d, channel: push}]
quiet_hours: {push: {from: "20:00", until: "09:00"}}
"""
STEPS = """
nudge:
  send: {channel: push, template: nudge, patience: 20d}
  wait: 2d
  then: {clicked: took, dismissed: waved, not_sent: lost, no_response: silent}
took: {end: finished}
waved: {end: declined}
lost: {end: stopped}
silent: {end: no_conversion}
"""
WORDS = "---\ntitle: Your team has grown\nurl: {{ link('plans', 'https://shop.example/plans') }}\n---\nSee the plans\n"


def account(*, hears: str = "dismissed") -> dict[str, str]:
    """Two playbooks that would nudge by push, one a week at most and never at night."""
    files = dict(account_files(policy=POLICY))
    for name in ("first", "second"):
        files |= playbook_files(name, STEPS.replace("dismissed", hears))
        files[f"{name}/nudge.push.txt"] = WORDS
    return files


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> Iterator[Receiver]:
    """The package on this machine, and the provider it speaks to."""
    install(tmp_path / "site-packages", "acme-push", ENTRY_POINTS)
    monkeypatch.setenv("ACME_PUSH_URL", receiver.url)
    receiver.answer = lambda: (200, {}, b'{"id": "acme-1"}')
    with on_the_path(tmp_path / "site-packages"):
        yield receiver


@pytest.fixture
def engine(installed: Receiver, database_url: str) -> Iterator[TestEngine]:
    """Anna has the app and said yes to push; it is evening."""
    settings = Settings(env="test", secret_keys=(SecretStr("s" * 40),), port=free_port())
    adapters = {"push": registry.build("push", {})}
    with TestEngine.open(database_url, start=EVENING, settings=settings, adapters=adapters) as engine:
        engine.publish(account())
        engine.customer("anna", push_token=TOKEN, timezone="UTC")
        engine.opted_in("anna", channel="push")
        yield engine


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.usefixtures("installed")
def test_check_and_the_schema_for_editors_know_the_channel(tmp_path: Path) -> None:
    assert "push" in playbook_schema()["$defs"]["channel"]["anyOf"][0]["enum"]
    checked = run("check", written(tmp_path / "account", account()))
    assert checked.code == 0, checked.out


@pytest.mark.usefixtures("installed")
def test_check_refuses_an_outcome_that_the_row_does_not_declare(tmp_path: Path) -> None:
    checked = run("check", written(tmp_path / "account", account(hears="replied")))
    assert checked.code == 1
    assert "'replied' is not an outcome of push; its outcomes are clicked, dismissed, bounced" in checked.out


def test_without_the_package_there_is_no_such_channel(tmp_path: Path) -> None:
    checked = run("check", written(tmp_path, account()))
    assert checked.code == 1
    assert "'push' is no channel" in checked.out


def test_an_import_reads_no_rows_so_a_package_that_cannot_be_loaded_ends_as_a_message() -> None:
    """Every module of the command, as processes of tests fork from it."""
    script = (
        "import tests.acceptance.preloaded\n"
        "from channels.table import channel_table\n"
        "assert channel_table.cache_info().misses == 0"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_push_waits_for_the_morning_and_its_outcome_moves_the_customer(
    engine: TestEngine, installed: Receiver
) -> None:
    engine.start("anna", "first")
    assert installed.got == []
    engine.let_pass(hours=12)
    sent = json.loads(installed.got[0].body)
    assert (sent["token"], sent["title"], sent["text"]) == (TOKEN, "Your team has grown", "See the plans")
    assert sent["expires_in"] == 36_000  # the longest a provider is given; the night begins an hour later
    engine.dismissed("anna")
    assert engine.path("anna") == ["nudge:dismissed", "declined"]


def test_the_cap_for_push_holds_the_next_one_back_for_a_week(engine: TestEngine, installed: Receiver) -> None:
    engine.start("anna", "first")
    engine.let_pass(hours=12)
    engine.clicked("anna")
    engine.start("anna", "second")
    engine.let_pass(days=6, hours=23)
    assert len(installed.got) == 1
    engine.let_pass(hours=1)
    assert len(installed.got) == 2
    engine.assert_invariants()


def test_a_token_that_is_gone_is_marked_and_used_no_more(engine: TestEngine, installed: Receiver) -> None:
    installed.answer = lambda: (410, {}, b"")
    engine.start("anna", "first")
    engine.start("anna", "second")
    engine.let_pass(hours=12)
    assert len(installed.got) == 1
    assert engine.path("anna", "first") == ["nudge:bounced", "stopped"]
    assert "must not be used: unregistered" in engine.why("anna")[1].why


def test_without_an_express_yes_nothing_goes_out(engine: TestEngine, installed: Receiver) -> None:
    engine.customer("bob", push_token="token-of-bobs-phone", timezone="UTC")
    engine.start("bob", "first")
    engine.let_pass(hours=12)
    assert installed.got == []
    assert engine.why("bob")[0].policy == "consent"


def test_the_preference_page_has_a_switch_for_it_and_the_switch_holds(
    engine: TestEngine,
) -> None:
    with engine.engine.database.connect() as connection:
        anna = find(connection, "anna")
    assert anna is not None
    link = engine.engine.links.preferences_url(anna.id)
    with serving(engine.engine, engine.engine.settings) as web:
        page = web.client.get(link).text
        assert '<input type="checkbox" name="channel" value="push" checked>' in page
        assert "Push notification" in page
        assert "Push-Nachricht" in web.client.get(link, headers={"Accept-Language": "de"}).text
        web.client.post(link, data={"do": "save", "was_channel": ["push"]}).raise_for_status()
        assert 'value="push" checked' not in web.client.get(link).text
    with pytest.raises(StartRefused) as refused:
        engine.start("anna", "first")
    assert refused.value.reason == "opted_out"


def test_a_row_that_cannot_be_loaded_ends_check_with_what_was_expected(tmp_path: Path) -> None:
    install(
        tmp_path / "site-packages", "acme-push", {"orchestrator.channel_traits": {"push": "acme_push:PUSH"}}
    )
    with on_the_path(tmp_path / "site-packages"):
        checked = run("check", written(tmp_path / "account", account_files()))
    assert checked.code == Exit.USAGE
    assert "channel 'push': expected an importable 'module:ROW', got 'acme_push:PUSH'" in checked.err
