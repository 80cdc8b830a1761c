"""The words of the customer pages, and whose language they speak."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

from orchestrator.records.consent import Consent
from orchestrator.records.preferences import Preferences
from orchestrator.web.customer_pages.consent_view import Change, changes, channel_choices, topic_choices
from orchestrator.web.customer_pages.translations import CATALOGUE, Words, preferred, words_for

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(CATALOGUE))
def test_every_language_says_everything_with_the_same_facts(language: str) -> None:
    english = CATALOGUE["en"]
    assert CATALOGUE[language].keys() == english.keys()
    for name, text in CATALOGUE[language].items():
        assert text.strip(), name
        assert holes(text) == holes(english[name]), name


@pytest.mark.parametrize(
    ("locale", "header", "expected"),
    [
        ("de-AT", "en", "de"),
        (None, "fr;q=0.9, de-CH;q=0.8, en;q=0.1", "de"),
        (None, "fr", "en"),
        (None, None, "en"),
        ("fr_FR", "de", "de"),
        (None, "de;q=x, en", "en"),
    ],
)
def test_the_customers_language_comes_before_the_browsers(
    locale: str | None, header: str | None, expected: str
) -> None:
    assert words_for(locale, header).language == expected


def test_a_language_with_weight_zero_is_not_wanted() -> None:
    assert list(preferred("de;q=0, en")) == ["en"]


def told(*states: tuple[str, str, bool, int]) -> Preferences:
    return Preferences(
        customer="anna",
        locale="en",
        topics=(("upsell", "Offers"), ("events", "Tips")),
        channels=("email", "sms"),
        states=tuple(
            Consent(
                channel=channel, topic=topic, granted=granted, since=NOW.replace(hour=hour), basis="express"
            )
            for channel, topic, granted, hour in states
        ),
    )


def switches(preferences: Preferences) -> dict[str, bool]:
    words = Words("en")
    found = [*topic_choices(preferences, words, NOW), *channel_choices(preferences, words, NOW)]
    return {choice.name: choice.on for choice in found}


def test_everything_is_on_until_something_was_said() -> None:
    assert switches(told()) == {"upsell": True, "events": True, "tracking": True, "email": True, "sms": True}


def test_stopping_everything_switches_all_off_but_tracking_which_is_a_question_of_its_own() -> None:
    assert switches(told(("*", "*", False, 1))) == {
        "upsell": False, "events": False, "tracking": True, "email": False, "sms": False,
    }  # fmt: skip


def test_a_topic_taken_back_after_stopping_everything_is_on_again_alone() -> None:
    now = switches(told(("*", "*", False, 1), ("*", "upsell", True, 2)))
    assert (now["upsell"], now["events"], now["email"]) == (True, False, True)


def test_a_stop_by_text_leaves_the_topics_on_by_mail() -> None:
    now = switches(told(("sms", "*", False, 1)))
    assert (now["sms"], now["email"], now["upsell"]) == (False, True, True)


def test_only_what_the_person_switched_is_a_change_whatever_happened_meanwhile() -> None:
    # Given a page that showed both topics on, while "events" was stopped elsewhere since
    preferences = told(("*", "events", False, 1))
    choices = topic_choices(preferences, Words("en"), NOW)
    # When she switches "upsell" off and sends the old page
    made = list(changes(choices, is_topic=True, shown=["upsell", "events"], wanted=["events"]))
    # Then "events" is not opened again
    assert made == [Change(on=False, topic="upsell", words="Offers")]
