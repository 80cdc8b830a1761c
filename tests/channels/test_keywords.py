from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.keywords import Meant, classify, provider_answers
from tests.channels import phrases


def test_revocations_are_heard_and_other_answers_are_left_alone() -> None:
    missed = [text for text in phrases.STOP if classify(text).meant is not Meant.STOP]
    wrong = [text for text in phrases.OTHER if classify(text).meant is Meant.STOP]
    heard = len(phrases.STOP) - len(missed)
    recall = heard / len(phrases.STOP)
    precision = heard / (heard + len(wrong))
    measured = f"recall {recall:.3f}, precision {precision:.3f}; missed {missed}; taken for a stop {wrong}"
    assert recall >= 0.98, measured
    assert precision >= 0.98, measured


@pytest.mark.parametrize("text", phrases.START)
def test_a_word_that_stands_alone_begins_again(text: str) -> None:
    assert classify(text).meant is Meant.START


@pytest.mark.parametrize("text", phrases.HELP)
def test_a_call_for_help_is_heard(text: str) -> None:
    assert classify(text).meant is Meant.HELP


@pytest.mark.parametrize("text", phrases.OTHER)
def test_nobody_is_opted_in_by_an_answer(text: str) -> None:
    assert classify(text).meant is not Meant.START


@pytest.mark.parametrize("text", ["stop texting me", "STOP", "отпишите меня"])
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
    st.sampled_from(["stop", "unsubscribe", "opt out", "arrêt"]),
    st.sampled_from(["{}", "{}!", " {} ", "«{}»", "{}..."]),
)
def test_punctuation_and_case_change_nothing(word: str, frame: str) -> None:
    assert classify(frame.format(word)).meant is Meant.STOP
    assert classify(frame.format(word).upper()).meant is Meant.STOP


def test_a_very_long_body_is_judged_quickly() -> None:
    assert classify("please do not " * 50_000).meant is Meant.OTHER
