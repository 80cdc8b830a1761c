"""In which order words that came at the same instant are heard: that of the table of outcomes, not that of arrival."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from channels.table import traits_of


class Occurred(Protocol):
    """One thing from outside, as it lies in the inbox."""

    @property
    def kind(self) -> str: ...

    @property
    def occurred_at(self) -> datetime: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


Item = TypeVar("Item", bound=Occurred)


def in_order(items: Sequence[Item], channel_of: Callable[[int], str | None]) -> list[Item]:
    """``items`` as they came, but words about one message of one instant by their rank on its channel."""
    first: dict[tuple[int, datetime], int] = {}

    def place(index: int) -> tuple[int, int]:
        item = items[index]
        if item.kind not in ("response", "receipt"):
            return index, 0
        message: int = item.data["message_id"]
        outcomes: tuple[str, ...] = traits_of(channel_of(message)).at_once
        said = item.data["outcome" if item.kind == "response" else "kind"]
        rank = outcomes.index(said) if said in outcomes else -1  # what moves nobody comes first: seen, opened
        return first.setdefault((message, item.occurred_at), index), rank

    return [items[index] for index in sorted(range(len(items)), key=place)]
