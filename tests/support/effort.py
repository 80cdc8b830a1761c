"""How much is tried: a fixed sample in the gate, everything and at random in the long run (``make long``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
LONG = os.environ.get("ORCHESTRATOR_TEST_LONG") == "1"


def load_profile() -> None:
    """The gate tries the same examples each time; the long run looks for new ones and prints how to repeat them."""
    settings.register_profile("gate", deadline=None, derandomize=True, database=None, max_examples=20)
    settings.register_profile("long", deadline=None, print_blob=True)
    settings.load_profile("long" if LONG else "gate")


def examples(many: int) -> int:
    """How often a law is tried: ``many`` times in the long run, a tenth of it in the gate, but at least ten times."""
    return many if LONG else max(10, many // 10)


def sample(everything: Sequence[T], few: int) -> list[T]:
    """All of them in the long run; in the gate ``few``, evenly spread, the first and the last among them."""
    if LONG or len(everything) <= few:
        return list(everything)
    last = len(everything) - 1
    return [everything[place * last // (few - 1)] for place in range(few)]
