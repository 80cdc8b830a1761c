"""A thousand wrong playbooks: each is explained with its place, none raises, none takes long."""

# ruff: noqa: E501 - rows of a table read best on one line
from __future__ import annotations

import random  # noqa: TID251 - a seeded shuffle of typos, the same in every run
import re
import time
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.language.problems import has_errors
from tests.support.effort import examples
from tests.unit.language.builders import checked, messages

GOOD = """playbook: power_user
version: 1
title: Power users see more
topic: upsell
priority: 50
context: {checkout_id: text}
signals: {bought: {event: plan_upgraded, where: {checkout_id: {same_as: checkout_id}}}}
enter:
  when: [usage_reported, premium_module_opened]
  if:
    any:
      - {usage_ratio: {at_least: 80%}, because: "you use {{ seats_used }} of {{ seats }} seats"}
      - {premium_module_opened: {times: 5, within: 14d}, because: "your team keeps coming back"}
  reentry: {after: 90d}
goal: {event: bought, within: 45d, value: mrr_delta}
leave: {health: {less_than: 20}}
holdout: 10%
at_any_step: {call_booked: rest, opted_out: done}
steps:
  banner:
    send: {channel: in_app, template: banner, as: modal}
    wait: 12h
    then: {clicked: watch, dismissed: email, no_response: email}
  email:
    send: {channel: email, template: email, patience: 2d}
    wait: 2d
    then: {clicked: watch, opened_no_click: value, no_response: rest}
  value:
    choose:
      - {if: {lifetime_value: {at_least: 5000}}, go: question}
      - {go: rest}
  question:
    ask: {channel: email, question: "What stopped you?", answers: {price: Too much, later: Not now}}
    wait: 5d
    then: {answered: {price: price, else: rest}, no_response: rest}
  price: {split: {full: 50%, less: 50%}, then: {full: rest, less: make}}
  make: {call: {function: make_coupon}, then: {done: rest, failed: rest}}
  watch: {wait: next workday 09:00, then: rest}
  rest: {cooldown: 21d, then: done}
  done: {end: no_conversion}
"""

PLACED = re.compile(r"(playbook\.yaml|\w+\.\w+\.html):\d+:\d+: .+")
SLOW = 20.0  # seconds of processor time: a bound, not a measurement


def test_the_playbook_that_is_broken_below_is_right() -> None:
    assert not has_errors(checked(GOOD)), messages(GOOD)


TEMPLATES = {
    "banner.in_app.html": "<p>Hello</p>",
    "email.email.html": "---\nsubject: Hello\n---\n<a href='{{ opt_out_url }}'>No more</a>",
}


def explained(text: str, templates: dict[str, str] | None = None) -> list[str]:
    """The problems of a text: placed, and found in bounded time."""
    began = time.process_time()
    found = messages(text, templates)
    assert time.process_time() - began < SLOW
    for message in found:
        assert PLACED.fullmatch(message), message
    return found


FREE = {"title", "because", "What", "stopped", "you", "Too", "much", "Not", "now", "Power", "users", "see", "more", "your",
        "team", "keeps", "coming", "back", "use", "of", "power_user", "make_coupon", "full", "less", "question", "later",
        "template", "function"}  # fmt: skip
# Words that may be changed alone without making the playbook wrong: free texts and names that only their writer gives.


def typos() -> Iterator[tuple[str, str]]:
    """The good playbook with one letter of one word wrong, and that word."""
    chooser = random.Random(7)
    words = [match for match in re.finditer(r"[A-Za-z_]{4,}", GOOD) if match[0] not in FREE]
    while True:
        match = chooser.choice(words)
        at = chooser.randrange(len(match[0]))
        kind = chooser.choice(["drop", "double", "swap"])
        word = match[0]
        wrong = {
            "drop": word[:at] + word[at + 1 :],
            "double": word[:at] + word[at] + word[at:],
            "swap": word[:at] + "q" + word[at + 1 :],
        }[kind]
        yield word, GOOD[: match.start()] + wrong + GOOD[match.end() :]


def test_typos_each_give_a_placed_problem() -> None:
    silent = []
    for word, text in islice(typos(), examples(1000)):
        if not explained(text, TEMPLATES):
            silent.append(word)
    # "seats" is a word of a sentence too, and the first step's own label is its author's choice.
    assert set(silent) <= {"seats", "banner"}


@pytest.mark.parametrize(
    ("wrong", "right", "place", "said"),
    [
        ("opened_no_click: value", "opend_no_click: value", "opend_no_click", "did you mean 'opened_no_click'"),
        ("dismissed: email", "opened_no_click: email", "opened_no_click: email", "is not an outcome of in_app"),
        ("dismissed: email", "dismissed: emial", "dismissed", "did you mean 'email'"),
        ("wait: 12h", "wait: 12m", "12m", "'m' could be minutes or months"),
        ("wait: 12h", "wait: soon", "banner:", "'soon' is not declared"),
        ("at_least: 80%", "at_least: 80", "usage_ratio", "write 80%"),
        ("holdout: 10%", "holdout: 10", "10", "did you mean '10%'"),
        ("version: 1", 'version: "1"', '"1"', "expected a whole number"),
        ("topic: upsell", "topic: upsel", "topic", "did you mean 'upsell'"),
        ("full: 50%", "full: 40%", "{full", "add to 90%"),
        ("else: rest", "later: nowhere", "later: nowhere", "'nowhere', which is no step"),
        (", else: rest", "", "answered", "nobody says where later leads"),
        ("opted_out: done", "opted_out: email", "opted_out", "which speaks"),
        ("reentry: {after: 90d}", "every: day", "when:", "'reentry' is missing"),
        ("event: bought", "event: bougth", "event: bougth", "did you mean 'bought'"),
        ("{go: rest}", "{if: {plan: pro}, go: rest}", "{plan: pro}", "the last row has no 'if'"),
        ("then: {done: rest, failed: rest}", "then: {done: rest}", "then: {done", "failed must lead somewhere"),
        ("    wait: 12h\n", "", "banner:", "say how long"),
        (', because: "your team keeps coming back"', "", "if:", "every true way needs a 'because'"),
        ("lifetime_value: {at", "lifetime_vlaue: {at", "lifetime_vlaue", "did you mean 'lifetime_value'"),
        ("_opened: {times: 5", "_opened: {time: 5", "time: 5", "did you mean 'times'"),
        ("health: {less_than: 20}", "plan: {less_than: 20}", "plan:", "is for numbers"),
        ("next workday 09:00", "next workday 9:00", "next workday 9:00", "HH:MM"),
        ("channel: in_app", "channel: inapp", "channel: inapp", "did you mean 'in_app'"),
        ("split: {full", "splits: {full", "splits", "did you mean 'split'"),
        ("template: email", "tmeplate: email", "tmeplate", "did you mean 'template'"),
        ("same_as: checkout_id", "same_as: chekout_id", "checkout_id: {same_as: chek", "did you mean 'checkout_id'"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_named_where_it_stands(wrong: str, right: str, place: str, said: str) -> None:
    assert wrong in GOOD
    text = GOOD.replace(wrong, right, 1)
    hits = [message for message in explained(text) if said in message]
    assert hits, messages(text)
    line, column = (int(number) for number in hits[0].split(":")[1:3])
    assert text.splitlines()[line - 1][column - 1 :].startswith(place), hits[0]


TRAPS = {
    "an empty file": ("", "empty file"),
    "only a comment": ("# nothing\n", "empty file"),
    "a list": ("- a\n", "expected a mapping"),
    "a text": ("hello", "expected a mapping"),
    "two documents": (GOOD + "---\na: 1\n", "second '---'"),
    "a doubled key": (GOOD.replace("priority: 50", "priority: 50\npriority: 60"), "written twice"),
    "an anchor": (GOOD.replace("title: Power", "title: &t Power"), "anchors are refused"),
    "an alias": (GOOD.replace("title: Power users see more", "title: *t"), "aliases are refused"),
    "a tag": (GOOD.replace("version: 1", "version: !!int 1"), "tags are refused"),
    "a merge": (GOOD.replace("priority: 50", "<<: {priority: 50}"), "merging with '<<' is refused"),
    "unquoted braces": (GOOD.replace('"you use {{ seats_used }} of {{ seats }} seats"', "you use {{ seats }}"), "must be quoted"),
    "braces that begin a text": (GOOD.replace("title: Power users see more", "title: {{ plan }}"), "must be quoted"),
    "an unquoted comma": (GOOD.replace('"What stopped you?"', "What, really"), "must be quoted"),
    "an unquoted hash": (GOOD.replace('"What stopped you?"', "What #really"), "must be quoted"),
    "an unquoted colon": (GOOD.replace('"What stopped you?"', "What: really"), "must be quoted"),
    "a tab": (GOOD.replace("  banner:", "\tbanner:"), "not YAML"),
    "an open brace": (GOOD + "  x: {wait: 1d\n", "not YAML"),
    "a zero byte": (GOOD.replace("Power", "Po\0wer"), "control character"),
    "an alias bomb": ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "aliases are refused"),
    "deep nesting": ("a: " + "[" * 5000, "nested deeper"),
    "deep blocks": ("\n".join(" " * n + "a:" for n in range(300)), "nested deeper"),
    "ten megabytes": ("title: " + "x" * 10_000_000, "larger than|longer than"),
    "a megabyte of list": ("a: [" + "1," * 400_000 + "1]", "more than 60,000 values"),
    "too many steps": (GOOD + "".join(f"  s{n}: {{end: x}}\n" for n in range(1000)), "more than 500"),
    "a null": (GOOD.replace("title: Power users see more", "title: null"), "expected a text"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_of_yaml_is_explained(name: str) -> None:
    text, said = TRAPS[name]
    found = explained(text)
    assert any(re.search(said, message) for message in found), found


@pytest.mark.parametrize("trap", ["NO", "yes", "on", "21:00", "010", "2026-11-27", "0x1F", "1_000", "~"])
def test_what_other_readers_would_not_read_as_text_stays_text_and_is_pointed_out(trap: str) -> None:
    found = explained(GOOD.replace("title: Power users see more", f"title: {trap}"))
    assert found == [
        f"playbook.yaml:3:8: warning: '{trap}' is read as text here; other YAML readers differ: quote it"
    ]


def test_a_loop_without_a_wait_is_refused_and_one_with_a_wait_is_not() -> None:
    loop = GOOD.replace("{go: rest}", "{go: value}")
    assert any("a loop without a wait: value → value" in one for one in explained(loop))
    waits = GOOD.replace("{go: rest}", "{go: watch}").replace("then: rest}\n  rest", "then: value}\n  rest")
    assert not has_errors(checked(waits)), messages(waits)


def test_a_loop_that_only_exhausted_closes_has_no_wait() -> None:
    loop = GOOD.replace("opened_no_click: value, no_response: rest}", "no_response: value}").replace(
        "{go: rest}", "{go: email}"
    )
    assert any("a loop without a wait" in one for one in explained(loop))


def test_an_unreached_step_and_a_step_without_a_way_out_are_named() -> None:
    assert any("step 'alone': nothing leads here" in one for one in explained(GOOD + "  alone: {end: x}\n"))
    stuck = GOOD.replace("rest: {cooldown: 21d, then: done}", "rest: {cooldown: 21d, then: rest}")
    assert any("step 'rest': no way out" in one for one in explained(stuck))


@given(st.text(max_size=300))
def test_any_text_is_explained(text: str) -> None:
    assert explained(text)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 60), st.text(max_size=4))
def test_any_damage_to_a_good_playbook_never_raises(start: int, length: int, put: str) -> None:
    explained(GOOD[:start] + put + GOOD[start + length :])
