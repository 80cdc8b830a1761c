"""The clock of a running system: one row of the database, so that every process sees the same business time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, text

from orchestrator.clock import Instants

_READ = text(
    "SELECT clock_timestamp() AS machine, "
    "business_anchor + (clock_timestamp() - machine_anchor) * rate AS business, rate FROM clock WHERE id = 1"
)
_RATE = text("SELECT rate FROM clock")
_LOCKED_RATE = text("SELECT rate FROM clock FOR UPDATE")
_SET_RATE = text(
    "UPDATE clock SET business_anchor = business_anchor + (clock_timestamp() - machine_anchor) * rate, "
    "machine_anchor = clock_timestamp(), rate = :rate"
)
_START_AT = text(
    "INSERT INTO clock (id, business_anchor, machine_anchor, rate) VALUES (1, :now, clock_timestamp(), 1) "
    "ON CONFLICT (id) DO UPDATE SET business_anchor = excluded.business_anchor, "
    "machine_anchor = excluded.machine_anchor, rate = excluded.rate"
)
_END_LEASES = text("UPDATE dispatch SET free_at = least(free_at, clock_timestamp())")
_NOBODY_IN_HAND = text("DELETE FROM batches_in_hand")


class Clock(Protocol):
    """Where the time comes from: read once a batch, then passed on as an argument."""

    def read(self, connection: Connection, /) -> Instants: ...


class DatabaseClock:
    """One statement against the ``clock`` row."""

    def read(self, connection: Connection, /) -> Instants:
        row = connection.execute(_READ).one()
        return Instants(business=row.business, machine=row.machine, rate=row.rate)


@dataclass(frozen=True, kw_only=True)
class PostgresClock:
    """:class:`~orchestrator.service.ports.operations.ClockStore`."""

    connection: Connection

    def set_rate(self, rate: float) -> float:
        """The rate before. Nothing is locked when it is this one already."""
        previous: float = self.connection.execute(_RATE).scalar_one()
        if previous == rate:
            return previous
        previous = self.connection.execute(_LOCKED_RATE).scalar_one()
        self.connection.execute(_SET_RATE, {"rate": rate})
        return previous

    def start_at(self, business: datetime) -> None:
        """Leases and back-offs before it were written in virtual machine time: they are over, nobody holds one."""
        self.connection.execute(_START_AT, {"now": business})
        self.connection.execute(_END_LEASES)
        self.connection.execute(_NOBODY_IN_HAND)
