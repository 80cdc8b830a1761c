from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.optout_keywords import read_lexicons as read_lexicons_module
from channels.optout_keywords.classify import Meant, classify, provider_answers
from channels.optout_keywords.read_lexicons import LANGUAGES, read_lexicons
from tests.channels.phrases import ALL, Measured, measure, read

KNOWN = read("known")
# Measured; no change may fall below. A group: the least recall, the most false stops.
FLOORS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "known": {
        ALL: (0.985, 0.006),
        "English": (0.98, 0.008),
        **dict.fromkeys(
            ("Spanish", "French", "German", "Portuguese", "Italian", "Dutch", "others"), (0.95, 0.01)
        ),
    },
    "unseen": {
        ALL: (0.9, 0.015),
        "English": (0.94, 0.025),
        **dict.fromkeys(("Spanish", "Portuguese", "Italian", "Dutch", "others"), (0.85, 0.0)),
        **dict.fromkeys(("French", "German"), (0.79, 0.0)),
    },
}


@pytest.mark.parametrize("name", ["known", "unseen"])
def test_revocations_are_heard_and_other_answers_are_left_alone(name: Literal["known", "unseen"]) -> None:
    measured = {one.group: one for one in measure(read(name))}
    below = [_said(one) for group, floor in FLOORS[name].items() if _below(one := measured[group], floor)]
    assert not below


def _below(one: Measured, floor: tuple[float, float]) -> bool:
    recall, false = floor
    return one.recall < recall or one.false_rate > false


def _said(one: Measured) -> str:
    return (
        f"{one.group}: recall {one.recall:.3f}, missed {one.missed}; false {one.false_rate:.3f}: {one.false}"
    )


def test_every_lexicon_is_asked_and_the_english_one_first() -> None:
    written = {path.stem for path in Path(read_lexicons_module.__file__).with_name("lexicons").glob("*.toml")}
    assert sorted(LANGUAGES) == sorted(written)
    assert read_lexicons()[0].name == "english"


def test_what_was_never_seen_was_not_seen() -> None:
    known = {one.text.casefold() for one in KNOWN}
    assert not [one.text for one in read("unseen") if one.text.casefold() in known]


@pytest.mark.parametrize("text", [one.text for one in KNOWN if one.meant is Meant.START])
def test_a_request_that_stands_alone_begins_again(text: str) -> None:
    assert classify(text).meant is Meant.START


@pytest.mark.parametrize("text", [one.text for one in KNOWN if one.meant is Meant.HELP])
def test_a_call_for_help_is_heard(text: str) -> None:
    assert classify(text).meant is Meant.HELP


@pytest.mark.parametrize("text", ["I need help with the export", "can you help me?", "necesito ayuda"])
def test_a_request_for_help_in_a_sentence_is_for_a_person_to_answer(text: str) -> None:
    assert classify(text).meant is Meant.OTHER


def test_nobody_is_opted_in_by_an_answer() -> None:
    answers = [one.text for one in [*KNOWN, *read("unseen")] if one.meant is Meant.OTHER]
    assert not [text for text in answers if classify(text).meant is Meant.START]


@pytest.mark.parametrize("text", ["stop texting me", "STOP", "отпишите меня", "🛑", "Dont rext me"])
def test_a_stop_says_what_was_recognised(text: str) -> None:
    assert classify(text).matched


def test_the_network_answers_its_own_words_and_nothing_else() -> None:
    assert provider_answers(" Stop ")
    assert provider_answers("yes")
    assert not provider_answers("stop please")
    assert not provider_answers("opt out")


@given(st.text(max_size=300))
def test_any_text_has_a_meaning(text: str) -> None:
    assert classify(text).meant in Meant


@given(
    st.sampled_from(["stop", "unsubscribe", "opt out", "arrêt", "stop texting me", "wrong number"]),
    st.sampled_from(
        ["{}", "{}!", " {} ", "«{}»", "{}...", "please {}", "{} thanks", "{} 😡", "ok, {}", "\n{}\n"]
    ),
)
def test_punctuation_case_and_manners_change_nothing(word: str, frame: str) -> None:
    assert classify(frame.format(word)).meant is Meant.STOP
    assert classify(frame.format(word).upper()).meant is Meant.STOP


@pytest.mark.parametrize(
    ("denied", "meant"),
    [
        ("don't stop texting me", "stop texting me"),
        ("please do not remove me from the list", "remove me from the list"),
        ("no dejen de escribirme", "dejen de escribirme"),
        ("hört nicht auf mir zu schreiben", "hört auf mir zu schreiben"),
        ("n'arrêtez pas de m'envoyer vos messages", "arrêtez de m'envoyer vos messages"),
    ],
)
def test_a_denial_is_the_opposite_of_what_it_denies(denied: str, meant: str) -> None:
    assert classify(denied).meant is Meant.OTHER
    assert classify(meant).meant is Meant.STOP


HOSTILE = {
    "denials": "not i want to please do not never ",
    "objects": "never text your contact remove me take my ",
    "misspelt": "unsubscribf remvoe textig numebr ",
    "clauses": "s.t,o!p?",
    "unspaced": "不要取消发",
    "one word": "a",
    "unfolding": "\ufdfa",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("length", [1_600, 1_000_000])
def test_no_body_takes_long(piece: str, length: int) -> None:
    body = (piece * (length // len(piece) + 1))[:length]
    classify("once, so that the lexicons are made ready")
    before = time.process_time()
    classify(body)
    assert time.process_time() - before < 1, "a text message takes 0.1 s of the processor at most"
