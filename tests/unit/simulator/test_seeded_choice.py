"""Chance without a shared stream: the same question always gets the same answer."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulator.seeded_choice import SeededChoice


@given(st.integers(), st.lists(st.text()))
def test_the_same_question_gets_the_same_answer(seed: int, about: list[str]) -> None:
    assert SeededChoice(seed).share(*about) == SeededChoice(seed).share(*about)


@given(st.integers(), st.text())
def test_a_share_is_at_least_zero_and_less_than_one(seed: int, about: str) -> None:
    assert 0 <= SeededChoice(seed).share(about) < 1


def test_another_seed_gives_other_fates() -> None:
    first, second = ([SeededChoice(seed).share(number) for number in range(20)] for seed in (1, 2))
    assert first != second


def test_parts_of_a_question_do_not_run_together() -> None:
    fates = SeededChoice(1)
    assert fates.share("ab", "c") != fates.share("a", "bc")


def test_weights_decide_how_often_an_option_comes() -> None:
    fates = SeededChoice(3)
    seen = Counter(fates.weighed({"often": 3, "seldom": 1}, number) for number in range(4000))
    assert 2850 < seen["often"] < 3150


def test_whole_numbers_reach_both_ends() -> None:
    fates = SeededChoice(3)
    assert {fates.whole(1, 6, number) for number in range(200)} == {1, 2, 3, 4, 5, 6}


@given(st.integers(), st.text())
def test_a_delay_is_never_zero_and_never_endless(seed: int, about: str) -> None:
    assert timedelta(0) < SeededChoice(seed).delay(timedelta(hours=1), about) <= timedelta(hours=8, seconds=1)
