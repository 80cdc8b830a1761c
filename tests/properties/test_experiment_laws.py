"""Shares come out as promised, sticky and independent."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import sqrt

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.machine.experiment import bucket, in_holdout, variant
from tests.support.effort import examples

PEOPLE = [f"customer-{number}" for number in range(3000)]

names = st.text(min_size=1, max_size=20)
shares = st.integers(1, 99).map(lambda percent: Decimal(percent) / 100)


def is_near(count: int, share: Decimal, out_of: int) -> bool:
    """Within six standard deviations: a fair draw fails this once in five hundred million."""
    fair = float(share)
    return abs(count - fair * out_of) <= 6 * sqrt(out_of * fair * (1 - fair))


@given(st.lists(st.text(), max_size=5), st.integers(1, 3))
def test_a_bucket_is_from_zero_below_one_whatever_the_decimal_context(parts: list[str], digits: int) -> None:
    plain = bucket(*parts)
    with localcontext(prec=digits):
        assert bucket(*parts) == plain
    assert 0 <= plain < 1


@settings(max_examples=examples(25), deadline=None)
@given(names, shares)
def test_the_holdout_is_as_large_as_its_share(playbook: str, share: Decimal) -> None:
    held = sum(in_holdout(person, playbook, share) for person in PEOPLE)

    assert is_near(held, share, len(PEOPLE))


@settings(max_examples=examples(25), deadline=None)
@given(names, names, st.integers(1, 98), st.data())
def test_the_arms_of_a_split_are_as_large_as_their_shares(
    playbook: str, step: str, first: int, data: st.DataObject
) -> None:
    second = data.draw(st.integers(1, 99 - first))
    percents = {"a": first, "b": second, "c": 100 - first - second}
    arms = [(name, Decimal(percent) / 100) for name, percent in percents.items()]

    chosen = [variant(person, playbook, step, arms) for person in PEOPLE]

    assert all(is_near(chosen.count(name), share, len(PEOPLE)) for name, share in arms)


@given(names, names, shares, shares)
def test_a_larger_holdout_keeps_everyone_who_was_in(
    person: str, playbook: str, one: Decimal, other: Decimal
) -> None:
    small, large = sorted((one, other))

    assert in_holdout(person, playbook, large) or not in_holdout(person, playbook, small)


@settings(max_examples=examples(15), deadline=None)
@given(names)
def test_the_holdout_says_nothing_about_the_variant(playbook: str) -> None:
    half = Decimal("0.5")
    held = [person for person in PEOPLE if in_holdout(person, playbook, half)]
    in_a = sum(variant(person, playbook, "split", [("a", half), ("b", half)]) == "a" for person in held)

    assert is_near(in_a, half, len(held))
