"""Which yes and which no is in force."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.core.consent.scope import covers, in_force, is_closed
from tests.support.policy_requests import NOON, no, yes


@pytest.mark.parametrize(
    ("row", "asked", "covered"),
    [
        (("email", "upsell"), ("email", "upsell"), True),
        (("email", "*"), ("email", "upsell"), True),
        (("*", "upsell"), ("email", "upsell"), True),
        (("*", "*"), ("email", "upsell"), True),
        (("sms", "*"), ("email", "upsell"), False),
        (("email", "events"), ("email", "upsell"), False),
        (("email", "upsell"), ("*", "upsell"), False),
        (("*", "upsell"), ("*", "upsell"), True),
        (("*", "*"), ("email", "tracking"), False),
        (("*", "tracking"), ("email", "tracking"), True),
    ],
)
def test_a_row_covers_what_it_names(row: tuple[str, str], asked: tuple[str, str], covered: bool) -> None:
    assert covers(*row, *asked) is covered


def test_nothing_said_is_neither_yes_nor_no() -> None:
    assert in_force([], "email", "upsell", NOON) is None
    assert in_force([no("sms", "*")], "email", "upsell", NOON) is None


def test_a_later_narrower_yes_reopens_only_what_it_names() -> None:
    rows = [no("*", "*", days_ago=10), yes("email", "upsell", days_ago=1)]

    assert in_force(rows, "email", "upsell", NOON) == rows[1]
    assert in_force(rows, "email", "events", NOON) == rows[0]
    assert in_force(rows, "sms", "upsell", NOON) == rows[0]


def test_a_later_no_closes_what_an_earlier_yes_had_opened() -> None:
    rows = [yes("email", "upsell", days_ago=10), no("*", "*", days_ago=1)]

    assert in_force(rows, "email", "upsell", NOON) == rows[1]


def test_a_general_yes_does_not_undo_a_particular_no() -> None:
    rows = [no("*", "upsell", days_ago=10), yes("sms", "*", days_ago=1), yes("*", "*", days_ago=0)]

    assert in_force(rows, "sms", "upsell", NOON) == rows[0]
    assert in_force(rows, "sms", "events", NOON) == rows[2]


def test_a_yes_must_take_back_every_no_that_covers_the_message() -> None:
    rows = [no("*", "upsell", days_ago=10), no("email", "*", days_ago=2), yes("email", "upsell", days_ago=5)]

    assert in_force(rows, "email", "upsell", NOON) == rows[1]


def test_at_the_same_instant_the_no_wins() -> None:
    rows = [yes("email", "upsell"), no("email", "*")]

    assert in_force(rows, "email", "upsell", NOON) == rows[1]


def test_a_snooze_ends_by_itself_and_an_expired_yes_reopens_nothing() -> None:
    snooze = no("*", "*", days_ago=10, expires_at=NOON)
    spent = yes("email", "upsell", days_ago=1, expires_at=NOON)

    assert in_force([snooze], "email", "upsell", NOON) is None
    assert in_force([snooze], "email", "upsell", NOON - timedelta(seconds=1)) == snooze
    assert in_force([no("email", "*"), spent], "email", "upsell", NOON) == no("email", "*")


@pytest.mark.parametrize(
    ("opened", "asked", "closed"),
    [
        (("email", "upsell"), ("*", "*"), False),
        (("email", "upsell"), ("email", "*"), False),
        (("email", "upsell"), ("*", "upsell"), False),
        (("email", "*"), ("*", "upsell"), False),
        (("*", "upsell"), ("email", "*"), False),
        (("email", "upsell"), ("sms", "*"), True),
        (("email", "upsell"), ("*", "events"), True),
        (("email", "tracking"), ("*", "*"), True),
    ],
)
def test_a_scope_is_closed_while_no_part_of_it_was_opened_again(
    opened: tuple[str, str], asked: tuple[str, str], closed: bool
) -> None:
    stopped = [no("*", "*", days_ago=10)]

    assert is_closed(stopped, *asked, NOON)
    assert is_closed([*stopped, yes(*opened, days_ago=1)], *asked, NOON) is closed
    assert is_closed([*stopped, yes(*opened, days_ago=20)], *asked, NOON), "the no came after it"
    assert is_closed([*stopped, yes(*opened, days_ago=1), no(*asked, days_ago=0)], *asked, NOON)


def test_what_nobody_closed_is_not_closed() -> None:
    assert not is_closed([], "*", "*", NOON)
    assert not is_closed([no("email", "upsell")], "*", "upsell", NOON)
