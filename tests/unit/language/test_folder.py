"""A folder of playbooks: what is loaded, what is refused, what the hash stands for; the schemas equal the parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.language.account.calendar import CalendarRow, OwnDates
from orchestrator.language.account.policy import AccountPolicy, read_policy
from orchestrator.language.account.signals import Vocabulary, read_vocabulary
from orchestrator.language.fields import keys_of
from orchestrator.language.folder import content_hash, load_account, load_folder
from orchestrator.language.model import Playbook, Send
from orchestrator.language.reading.steps import STEP
from orchestrator.language.writing.json_schema import (
    calendar_schema,
    playbook_schema,
    policy_schema,
    signals_schema,
)
from tests.unit.language.builders import POLICY, SIGNALS, book

MAIL = (
    "mail: {send: {channel: email, template: mail}, wait: 2d, then: {clicked: done, no_response: done}}\n"
    "done: {end: no_conversion}"
)
WORDS = "---\nsubject: Hello\n---\n<p>{{ because }}</p><a href='{{ opt_out_url }}'>No more</a>\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "signals.yaml").write_text(SIGNALS, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    nudge = tmp_path / "nudge"
    nudge.mkdir()
    (nudge / "playbook.yaml").write_text(book(MAIL), encoding="utf-8")
    (nudge / "mail.email.html").write_text(WORDS, encoding="utf-8")
    return tmp_path


def said(folder: Path) -> list[str]:
    (bundle,) = load_folder(folder)
    return [str(problem) for problem in bundle.problems]


def test_a_right_folder_loads_without_a_problem(folder: Path) -> None:
    (bundle,) = load_folder(folder)
    assert bundle.problems == ()
    assert bundle.ok
    assert bundle.name == "nudge"


def test_the_hash_changes_with_the_words_and_with_nothing_else(folder: Path) -> None:
    first = content_hash(load_folder(folder)[0])
    assert content_hash(load_folder(folder)[0]) == first
    (folder / "nudge" / "mail.email.html").write_text(WORDS + "!", encoding="utf-8")
    assert content_hash(load_folder(folder)[0]) != first


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (WORDS.replace("{{ opt_out_url }}", "#"), "must carry its opt-out"),
        (WORDS.replace("because", "becuase"), "'becuase' is no declared name; did you mean 'because'"),
        (WORDS.replace("subject", "subjct"), "did you mean 'subject'"),
        (WORDS.replace("because }}", "because | dya }}"), "'dya' is no filter; did you mean 'day'"),
        (WORDS.replace("{{ because }}", "{{ plan }}"), "not every customer has 'plan'"),
        (WORDS.replace("{{ because }}", "{% if %}"), "this is no template"),
        (WORDS.replace("{{ because }}", "{{ booking_link('cal') }}"), "did you mean 'call'"),
        (WORDS.replace("\n---\n<p>", "\n<p>"), "the header has no end"),
        (WORDS + "{{ link('second-team', 'https://a.example') }}", "'second-team': expected a name of small"),
        (WORDS + "{{ link('team') }}", "link 'team': expected {{ link('name', 'https://...') }}"),
        (WORDS + "{{ link('team', '/plans') }}", "link 'team' must lead to an absolute https:// address"),
    ],
)
def test_a_wrong_template_is_explained(folder: Path, words: str, problem: str) -> None:
    (folder / "nudge" / "mail.email.html").write_text(words, encoding="utf-8")
    assert any(problem in one and "mail.email.html:" in one for one in said(folder)), said(folder)


def test_a_missing_template_is_named(folder: Path) -> None:
    (folder / "nudge" / "mail.email.html").unlink()
    assert any("write mail.email.html" in one for one in said(folder))


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import os\n", "nothing else, got 'os'"),
        ("from orchestrator import start_playbook\n", "got 'start_playbook'"),
        ("from datetime import datetime\n", "nothing else, got 'datetime'"),
        ("import datetime\n", "nothing else, got 'datetime'"),
        ("x = (\n", "this is not Python"),
        ("x = 1 / 0\n", "playbook.py:1: ZeroDivisionError"),
        ("open('x')\n", "NameError"),
        ("", "expected one Playbook(...), got 0"),
    ],
)
def test_a_wrong_python_playbook_is_explained(folder: Path, source: str, problem: str) -> None:
    (folder / "nudge" / "playbook.yaml").unlink()
    (folder / "nudge" / "playbook.py").write_text(source, encoding="utf-8")
    assert any(problem in one for one in said(folder)), said(folder)


def test_a_python_playbook_may_count_with_timedelta(folder: Path) -> None:
    (folder / "nudge" / "playbook.yaml").unlink()
    (folder / "nudge" / "playbook.py").write_text(
        "from datetime import timedelta\n"
        "from orchestrator import End, Enter, Playbook, Send, Step\n"
        "mail = Send(channel='email', template='mail')\n"
        "steps = [Step('mail', mail, wait=2 * timedelta(hours=36), then='done'), Step('done', End('left'))]\n"
        "enter = Enter(reentry='never', because='why not')\n"
        "Playbook(name='nudge', version=1, title='Nudge', topic='upsell', enter=enter, steps=steps)\n",
        encoding="utf-8",
    )
    (bundle,) = load_folder(folder)
    assert bundle.playbook is not None, said(folder)
    assert str(bundle.playbook.steps[0].wait) == "3d"


def test_a_binary_playbook_is_a_problem_of_that_file(folder: Path) -> None:
    (folder / "nudge" / "playbook.yaml").write_bytes(b"playbook: \xff\xfe\x00")
    assert any("expected UTF-8" in one for one in said(folder))


def test_absent_account_files_are_defaults(tmp_path: Path) -> None:
    account = load_account(tmp_path)
    assert account.problems == ()
    assert account.policy.default_zone == "UTC"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("attributes: {plan: txt}", "did you mean 'text'"),
        ("attributes: {a: text}\nevents: {a: {}}", "already a name of attributes"),
        ("events: {clicked: {}}", "outcome of messages"),
        ("computed: {a: {type: number, ratio: {of: b, to: c}}}", "no declared name"),
        ("attributes: {x: number}\ncomputed: {a: {type: number, ratio: {of: a, to: x}}}", "made from itself"),
    ],
)
def test_a_wrong_vocabulary_is_explained(text: str, problem: str) -> None:
    assert any(problem in str(one) for one in read_vocabulary(text)[1])


def test_a_wrong_policy_is_explained_and_a_right_one_read() -> None:
    for text, problem in (
        ("zones: {default: Berlin}", "Europe/Berlin"),
        ("holds: {x: {opened_by: a}}", "or it never ends"),
        ("capz: []", "did you mean 'caps'"),
        ('quiet_hours: {sms: {from: "8", until: "09:00"}}', "HH:MM"),
    ):
        assert any(problem in str(one) for one in read_policy(text)[1]), text
    policy, problems = read_policy("holdout: 5%\ncaps: [{at_most: 3, within: 7d}]")
    assert problems == []
    assert str(policy.holdout) == "5%"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "caps: [{at_most: 1, within: 7d, topic: upsel}]",
            "caps: 'upsel' is no topic; did you mean 'upsell'?",
        ),
        ("caps: [{at_most: 1, within: 7d, channel: emial}]", "'emial' is no channel; did you mean 'email'?"),
        ('quiet_hours: {smss: {from: "20:00", until: "08:00"}}', "'smss' is no channel; did you mean 'sms'?"),
        ("needs_consent: [fax]", "needs_consent: 'fax' is no channel"),
        ("holds: {h: {opened_by: usage_raported, longest: 7d}}", "did you mean 'usage_reported'?"),
        ("holds: {h: {opened_by: usage_reported, closed_by: nothing_known}}", "declare it under 'events'"),
        ("holds: {h: {while: {seets: {less_than: 4}}}}", "hold 'h': 'seets' is no declared name"),
        ("holds: {h: {while: {seats: {less_than: 50%}}}}", "hold 'h': 'seats' is a number"),
        ("holds: {h: {while: {visits.nudge: {at_least: 1}}}}", "'nudge' is no step"),
        ("holds: {h: {opened_by: usage_reported, longest: 7d, topics: [cross]}}", "'cross' is no topic"),
        (
            "retention: {signals: 30d}\nholds: {h: {while: {usage_reported: {times: 0, within: 90d}}}}",
            "reaches 90 days back",
        ),
        ("feedback: {negative: nobody}", "feedback: negative: 'nobody' is no playbook here"),
    ],
)
def test_a_guardrail_of_the_account_that_would_guard_nothing_is_explained(
    folder: Path, line: str, problem: str
) -> None:
    policy = folder / "policy.yaml"
    written = policy.read_text(encoding="utf-8")
    policy.write_text(f"{written}{line}\n", encoding="utf-8")
    first = len(written.splitlines()) + 1
    found = [one for one in said(folder) if problem in one]
    assert found, said(folder)
    assert int(found[0].split("policy.yaml:")[1].split(":")[0]) >= first, found


def test_the_schemas_offer_exactly_the_fields_the_parser_accepts() -> None:
    step: dict[str, Any] = playbook_schema()["properties"]["steps"]["additionalProperties"]
    assert set(playbook_schema()["properties"]) == set(keys_of(Playbook))
    assert set(step["properties"]) == set(STEP)
    assert set(step["properties"]["send"]["properties"]) == set(keys_of(Send))
    assert set(policy_schema()["properties"]) == set(keys_of(AccountPolicy))
    assert set(signals_schema()["properties"]) == set(keys_of(Vocabulary))
    shared, own = calendar_schema()["additionalProperties"]["oneOf"]
    assert set(shared["items"]["properties"]) == set(keys_of(CalendarRow))
    assert set(own["properties"]) == set(keys_of(OwnDates))
    empty = [name for name, inner in step["properties"].items() if inner == {}]
    assert empty == [], "every field is described"
