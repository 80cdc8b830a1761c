"""Figures for machines that watch: whether the database can be used, and what waits in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.store.sql.connections import Database
from orchestrator.store.sql.tables import clock, dispatch, inbox, messages, parked, timers

_SOON = text("SET LOCAL statement_timeout = '2s'")
_IN_A_WHILE = text("SET LOCAL statement_timeout = '5s'")
_BY_STATUS = select(messages.c.status, func.count().label("number")).group_by(messages.c.status)
_NOW = text("SELECT business_anchor + (clock_timestamp() - machine_anchor) * rate FROM clock WHERE id = 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """``ok``, or what has to be done, about each part."""

    database: str = "ok"
    schema: str = "ok"

    @property
    def ready(self) -> bool:
        return self.database == self.schema == "ok"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """``waiting``: rows by table; ``overdue``: business seconds by which the oldest due row of a table is late;
    ``messages``: how many by status."""

    waiting: Mapping[str, int]
    overdue: Mapping[str, float]
    messages: Mapping[str, int]
    clock_rate: float


def readiness(database: Database) -> Readiness:
    """Whether requests can be served. Never raises."""
    try:
        with database.connect() as connection:
            connection.execute(_SOON)
            if connection.execute(select(clock.c.rate)).scalar_one_or_none() is None:
                return Readiness(schema="the clock row is missing; run: orchestrator db upgrade")
    except SQLAlchemyError as error:
        if "UndefinedTable" in type(getattr(error, "orig", None)).__name__:
            return Readiness(schema="not migrated; run: orchestrator db upgrade")
        return Readiness(database="cannot be reached")
    return Readiness()


def figures(connection: Connection) -> Figures:
    """Counted now: whole tables are read."""
    connection.execute(_IN_A_WHILE)
    now = connection.execute(_NOW).scalar_one()
    return Figures(
        waiting={
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (timers, dispatch, inbox, parked)
        },
        overdue={
            table.name: _late(connection.execute(select(func.min(table.c.due_at))).scalar_one(), now)
            for table in (timers, dispatch)
        },
        messages={row.status: row.number for row in connection.execute(_BY_STATUS)},
        clock_rate=connection.execute(select(clock.c.rate)).scalar_one(),
    )


def _late(oldest: datetime | None, now: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
