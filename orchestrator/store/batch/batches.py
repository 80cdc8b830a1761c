"""A batch on one connection: locked customers as they are read, and what was changed of them as it is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import CustomerState
from orchestrator.records.drain import InterruptedCustomer
from orchestrator.store.batch import batches_in_hand
from orchestrator.store.batch.build import build_customers
from orchestrator.store.batch.definitions import CatalogueCache
from orchestrator.store.batch.ids import IdBlocks
from orchestrator.store.batch.save import save
from orchestrator.store.batch.save_waiting import save_waiting
from orchestrator.store.consents import PostgresConsents
from orchestrator.store.restoring.awaiting import recall


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresBatches:
    """Loads and saves customers by the definitions this process knows."""

    connection: Connection
    definitions: CatalogueCache
    hash_key: Callable[[str], str]
    undone: Collection[str]  # threads of this process whose batch failed while nothing could be written
    ids: IdBlocks
    consents: PostgresConsents

    def load(
        self, ids: Sequence[int], now: datetime, *, starting: Sequence[str] = ()
    ) -> tuple[list[CustomerState], Catalogue]:
        customers, catalogue = build_customers(
            self.connection, ids, self.definitions, now, starting=starting, hash_key=self.hash_key
        )
        if catalogue.lost is not None and catalogue.lost.awaiting:
            recall(self.consents, customers, now)
        return customers, catalogue

    def save(self, customers: Sequence[CustomerState], now: datetime) -> None:
        save(self.connection, customers, now, self.hash_key)
        save_waiting(self.connection, customers, now)

    def new_enrollment_id(self) -> int:
        return self.ids.take(self.connection, "enrollment_ids")

    def new_message_id(self) -> int:
        return self.ids.take(self.connection, "message_ids")

    def done(self) -> None:
        batches_in_hand.done(self.connection)

    def take_interrupted(self, *, before: datetime) -> list[InterruptedCustomer]:
        if self.undone:
            batches_in_hand.done_of(self.connection, list(self.undone))
        return batches_in_hand.take_interrupted(self.connection, before=before)
