"""Whether this installation does its work: the database, the schema, and whether what is due is being done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, NoResultFound, SQLAlchemyError

from orchestrator.records.operations.work import LATE, Health
from orchestrator.store import migrate
from orchestrator.store.coordination.clock import Clock
from orchestrator.store.monitoring.findings import restored_problem
from orchestrator.store.monitoring.read import health
from orchestrator.store.restoring import restores
from orchestrator.store.sql.connections import Database

NO_BATCH_FOR = timedelta(seconds=30)  # machine time
_SOON = text("SET LOCAL statement_timeout = '2s'")
_NOT_MIGRATED = ("42P01", "42703")  # a table or a column is not there
_UPGRADE = "run: orchestrator db upgrade"


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """``ok``, or what is wrong, about each part."""

    database: str = "ok"
    schema: str = "ok"
    work: str = "ok"

    @property
    def serves(self) -> bool:
        """Requests can be answered: signals are taken, opt-outs are in force."""
        return self.database == self.schema == "ok"

    @property
    def ready(self) -> bool:
        """And what is due is done."""
        return self.serves and self.work == "ok"


def readiness(database: Database, clock: Clock) -> Readiness:
    """Three short reads, whatever waits. Never raises."""
    try:
        with database.connect() as connection:
            connection.execute(_SOON)
            now = clock.read(connection)
            schema = migrate.problem(connection)
            return Readiness(
                schema=schema or "ok",
                work="not asked"
                if schema
                else restored_problem(restores.latest(connection))
                or work_problem(health(connection, now))
                or "ok",
            )
    except NoResultFound:
        return Readiness(schema=f"the clock row is missing; {_UPGRADE}", work="not asked")
    except SQLAlchemyError as error:
        state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
        if state in _NOT_MIGRATED:
            return Readiness(schema=f"not migrated; {_UPGRADE}", work="not asked")
        return Readiness(database="cannot be reached", schema="not asked", work="not asked")


def work_problem(found: Health) -> str | None:
    """Why what is due is not being done, if it is not. A lane whose provider is left alone may wait."""
    for process in found.workers:
        if process.claiming_stopped:
            return f"claiming stopped: {process.claiming_stopped}"
    waits = {provider for one in found.workers for provider in (*one.breakers, *one.rates_used_up)}
    late = [
        lane
        for lane in found.lanes
        if lane.lane != "background" and lane.provider not in waits and lane.lag > LATE
    ]
    if not late or (found.last_batch is not None and found.last_batch <= NO_BATCH_FOR):
        return None
    worst = max(late, key=lambda lane: lane.lag)
    since = "no worker is there" if not found.workers else "no batch was finished lately"
    return f"{worst.name}: due for {worst.lag.total_seconds():.0f} s, and {since}"
