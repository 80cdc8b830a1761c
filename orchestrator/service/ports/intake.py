"""What taking in asks of the store: whom a fact is about, and a place to append it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.feed_visibility import Guards
from orchestrator.language.conditions.requirements import LookBack
from orchestrator.records.feed import FeedAction, FeedItem
from orchestrator.records.inbox import InboxItem


class CustomerStore(Protocol):
    """Customers and accounts by the keys and addresses the outside knows them by. Nothing here locks a customer."""

    def ensure(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        """The id of each key, made where it is new; keys of erased people are not in the answer."""
        ...

    def ensure_accounts(self, keys: Collection[str], now: datetime) -> dict[str, int]:
        """The id of each account's key, made where it is new."""
        ...

    def find(self, key: str) -> int:
        """The id of the customer with the product's key. Raises NotFound."""
        ...

    def key_of(self, customer_id: int) -> str:
        """The product's key. Raises NotFound."""
        ...

    def known(self, customer_ids: Collection[int]) -> set[int]:
        """Which of these ids are customers that were not erased."""
        ...

    def reader(self, customer_id: int) -> tuple[str, str | None]:
        """The key and the locale of a customer who reads a page of theirs. Raises NotFound."""
        ...

    def region_of(self, customer_id: int) -> str | None: ...
    def forgotten(self, identities: Collection[str]) -> set[str]:
        """Which of these keys and addresses belong to people who were erased."""
        ...

    def members(self, account_keys: Collection[str]) -> dict[str, list[int]]:
        """The customers of each account, in id order."""
        ...

    def colleagues(self, customer_ids: Collection[int]) -> dict[int, list[int]]:
        """The other members of each customer's account."""
        ...

    def merge_accounts(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Merge traits into accounts' attributes; None removes."""
        ...

    def by_address(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
        """Everyone reached at each (channel, address)."""
        ...

    def after(self, customer_id: int, *, limit: int) -> list[int]:
        """The next customers in id order, for a scan over the base; erased ones are left out."""
        ...


class MessageStore(Protocol):
    """Messages by what the outside calls them."""

    def exists(self, customer_id: int, message_id: int) -> bool:
        """Whether the customer has such a message."""
        ...

    def by_provider_id(self, provider_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """(customer, message) of each id a provider gave, also of ids it lengthened after a dot."""
        ...

    def last_by(self, channel: str, customer_ids: Collection[int]) -> dict[int, int]:
        """The message handed over last to each customer on a channel: what a reply without a reference answers."""
        ...


class InboxStore(Protocol):
    """Everybody's inbox."""

    def append(self, items: Sequence[InboxItem], now: datetime) -> int:
        """Append what its customer has not seen yet by source id; how many were new. Locks nobody."""
        ...


class BaseScanStore(Protocol):
    """Questions to the whole base, asked a page at a time as far as there is room among what waits in background."""

    def begin_playbooks(self, marks: Mapping[str, str]) -> None:
        """Let everybody be asked about these playbooks once for each mark, and about no other; who is new is asked
        by the same mark too."""
        ...

    def ask_page(self, now: datetime) -> int | None:
        """Append the next page of what is open: how many were asked; None when nothing is open or has room."""
        ...


class FeedStore(Protocol):
    """Everybody's in-app feed."""

    def items(self, customer_id: int, now: datetime, *, most: int) -> list[FeedItem]:
        """What is in the feed, newest first; whether it may be seen is asked with :meth:`guards`."""
        ...

    def guards(
        self, customer_id: int, now: datetime, catalogue: Catalogue, *, look_back: LookBack | None
    ) -> Guards:
        """What may hide it. ``look_back``: the history that conditions need; None: no condition is asked."""
        ...

    def mark(self, customer_id: int, message_id: int, action: FeedAction, at: datetime) -> None:
        """Note what the customer did with an item: dismissed or answered, it is shown no more."""
        ...
