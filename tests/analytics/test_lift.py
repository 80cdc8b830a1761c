"""Intervals against published worked examples, and their laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analytics.lift import Proportion, lift, wilson

# Newcombe, Statistics in Medicine 17 (1998): single proportions, method 3, and differences, method 10.
SINGLE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
DIFFERENCES = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


@pytest.mark.parametrize(("hits", "total", "low", "high"), SINGLE)
def test_wilson_as_published(hits: int, total: int, low: float, high: float) -> None:
    found = wilson(hits, total)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize("row", DIFFERENCES)
def test_newcombe_as_published(row: tuple[int, int, int, int, float, float]) -> None:
    a, m, b, n, low, high = row
    found = lift(Proportion(hits=a, total=m), Proportion(hits=b, total=n))
    assert found.difference == pytest.approx(a / m - b / n)
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )
    assert found.is_proven


def test_an_empty_arm_proves_nothing() -> None:
    found = lift(Proportion(hits=5, total=10), Proportion(hits=0, total=0))
    assert (found.difference, found.relative, found.is_proven) == (None, None, False)


def test_more_hits_than_customers_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 3"):
        wilson(4, 3)


rates = st.integers(1, 500).flatmap(
    lambda total: st.builds(Proportion, hits=st.integers(0, total), total=st.just(total))
)


@given(rates, rates)
def test_intervals_hold_what_was_seen_and_are_mirrored(first: Proportion, second: Proportion) -> None:
    there, back = lift(first, second), lift(second, first)
    assert there.difference is not None
    assert first.value is not None
    assert 0 <= first.interval.low <= first.value <= first.interval.high <= 1
    assert -1 - 1e-9 <= there.interval.low <= there.difference <= there.interval.high <= 1 + 1e-9
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
