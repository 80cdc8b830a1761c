"""Keeps the withdrawal log and the database together: marks, what the log has missed, and a database put back.

Once a minute the database counts up, commits, and the number is written to the log. A number in the log that the
database has not reached says that it was put back from a backup: numbers never go back, and are in the log only after
their commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine

from orchestrator.clock import monotonic
from orchestrator.errors import Unavailable
from orchestrator.store.batch.definitions import CatalogueCache
from orchestrator.store.coordination.clock import Clock
from orchestrator.store.restoring.restores import PostgresRestores
from orchestrator.store.restoring.withdrawal_log import LogAway, WithdrawalLog, read_log
from orchestrator.store.restoring.withdrawals import count_up, write_waiting
from orchestrator.store.sql.errors import translated
from orchestrator.telemetry import emit

MARK_EVERY = 60.0  # seconds of machine time


@dataclass
class LogKeeper:
    """One per process. Without a log there is nothing to keep, and nothing is found out by itself."""

    database: Engine
    clock: Clock
    log: WithdrawalLog | None
    definitions: CatalogueCache
    _compared: bool = field(default=False)
    _next_mark: float = field(default=0.0)

    def may_work(self) -> bool:
        """False while this database is one that was put back and nobody has dealt with that."""
        if not self._compared:
            self._compare()
            self._compared = True
        known = self.definitions.known.lost
        if known is None or not known.pending:
            return True
        with translated(), self.database.begin() as connection:
            lost = self.definitions.refresh(connection).lost
        return lost is None or not lost.pending

    def keep(self) -> None:
        """Write what the log has missed; once a minute, let the database count up and write the number down."""
        if self.log is None or monotonic() < self._next_mark:
            return
        self._next_mark = monotonic() + MARK_EVERY
        try:
            with translated(), self.database.begin() as connection:
                while write_waiting(connection, self.log):
                    pass
                mark = count_up(connection, self.clock.read(connection).business)
            self.log.mark(mark)
        except LogAway as error:
            emit("withdrawal_log.away", entries=0, error=str(error))
        except Unavailable:
            self._next_mark = 0.0  # what was committed is in the log; the next call marks it

    def newest_mark(self) -> int:
        """The highest number in this host's log; 0 without one."""
        newest = self.log.newest_mark() if self.log is not None else None
        return newest.number if newest is not None else 0

    def _compare(self) -> None:
        """Whether the log knows more than the database; then it is marked as put back, once."""
        with translated(), self.database.begin() as connection:
            self.definitions.refresh(connection, at_once=True)
            restores = PostgresRestores(connection=connection, hash_key=str)
            counted = restores.counted()
        if self.log is None:
            return
        try:
            newest = self.log.newest_mark()
            if newest is None or newest.number <= counted:
                return
            marks = read_log([self.log.folder]).marks
        except LogAway as error:
            emit("withdrawal_log.away", entries=0, error=str(error))
            return
        since = max((mark.at for mark in marks if mark.number <= counted), default=None)
        with translated(), self.database.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE restores IN SHARE ROW EXCLUSIVE MODE")
            restores = PostgresRestores(connection=connection, hash_key=str)
            if restores.counted() >= newest.number:
                return
            restores.count_at_least(newest.number)
            restores.found(since=since, until=self.clock.read(connection).business)
            self.definitions.refresh(connection, at_once=True)
        emit("database.restored", behind=newest.number - counted)
