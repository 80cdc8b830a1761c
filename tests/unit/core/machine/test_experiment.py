"""Sticky hashes: pinned, because changing one would reshuffle every running experiment."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.core.machine.experiment import bucket, in_holdout, variant

HALVES = (("short", Decimal("0.5")), ("long", Decimal("0.5")))


def test_buckets_never_change() -> None:
    assert bucket("holdout", "power_user_upsell", "customer-1") == Decimal("0.131873403489126119")
    assert bucket("") == Decimal("0.940011759170490649")


def test_parts_are_kept_apart() -> None:
    assert bucket("ab", "c") != bucket("a", "bc") != bucket("abc")


def test_nobody_is_held_out_at_zero_and_everybody_at_one() -> None:
    people = [f"customer-{number}" for number in range(200)]

    assert not any(in_holdout(person, "p", Decimal(0)) for person in people)
    assert all(in_holdout(person, "p", Decimal(1)) for person in people)


def test_an_arm_without_a_share_is_never_chosen() -> None:
    shares = (("off", Decimal(0)), ("on", Decimal(1)), ("also_off", Decimal(0)))

    assert {variant(f"customer-{number}", "p", "s", shares) for number in range(200)} == {"on"}


def test_shares_that_fall_short_of_one_by_rounding_lose_nobody() -> None:
    thirds = tuple((name, Decimal("0.000001")) for name in ("a", "b", "c"))

    assert {variant(f"customer-{number}", "p", "s", thirds) for number in range(50)} == {"c"}


def test_a_split_without_arms_is_an_error() -> None:
    with pytest.raises(ValueError, match="share above 0"):
        variant("customer-1", "p", "s", (("off", Decimal(0)),))


def test_two_steps_of_one_playbook_split_independently() -> None:
    pairs = {
        (variant(f"customer-{n}", "p", "first", HALVES), variant(f"customer-{n}", "p", "second", HALVES))
        for n in range(100)
    }

    assert len(pairs) == 4
