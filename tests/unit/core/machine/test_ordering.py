"""Words of one instant are heard in the order of the table, whatever order they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from orchestrator.core.machine.ordering import in_order
from tests.support.enrollment_driver import NOON


@dataclass(frozen=True)
class Came:
    kind: str
    occurred_at: datetime
    data: Mapping[str, Any]


def outcome(said: str, at: datetime = NOON, message: int = 1, kind: str = "response") -> Came:
    return Came(
        kind=kind,
        occurred_at=at,
        data={"message_id": message, ("outcome" if kind == "response" else "kind"): said},
    )


def heard(items: list[Came], channel: str) -> list[str]:
    return [item.data.get("outcome") or item.data["kind"] for item in in_order(items, lambda _: channel)]


@pytest.mark.parametrize(
    ("channel", "order"),
    [
        ("in_app", ["seen", "answered", "clicked", "negative", "dismissed"]),
        ("email", ["opened", "negative", "answered", "replied", "clicked", "bounced"]),
        ("chat", ["negative", "replied", "closed", "failed"]),
    ],
)
def test_the_table_decides_between_simultaneous_words(channel: str, order: list[str]) -> None:
    for came in permutations(order[:4]):
        assert heard([outcome(one) for one in came], channel) == order[:4]


def test_what_came_at_different_instants_stays_as_it_came() -> None:
    later = NOON + timedelta(seconds=1)
    assert heard([outcome("dismissed", later), outcome("clicked")], "in_app") == ["dismissed", "clicked"]


def test_other_messages_and_signals_keep_their_places() -> None:
    signal = Came(kind="signal", occurred_at=NOON, data={"name": "paid"})
    items = [outcome("dismissed"), signal, outcome("clicked", message=2), outcome("clicked", kind="receipt")]
    assert in_order(items, lambda _: "in_app") == [items[3], items[0], items[1], items[2]]
