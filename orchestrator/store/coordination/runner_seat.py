"""The seat of the one process that moves things where no broker shares the work out.

It is a session lock of PostgreSQL: it ends with its connection, however that ends.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.store.sql.connections import Database

SEAT = 0x6F72_6368_7275_6E00  # "orchrun": the key of the session lock
_TAKE = text("SELECT pg_try_advisory_lock(:seat)")
_STILL_THERE = text("SELECT 1")


class RunnerSeat:
    """One try of one process for the seat of its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether it is ours, after having tried to take it; False also while the database cannot be reached."""
        try:
            if self._connection is not None:
                self._connection.execute(_STILL_THERE)
                return True
            return self._take()
        except SQLAlchemyError:
            self.leave()
            return False

    def leave(self) -> None:
        """Let another process have it. Never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()  # back in the pool it would keep the lock
            with suppress(SQLAlchemyError):
                connection.close()

    def _take(self) -> bool:
        connection = self._database.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = False
        try:
            taken = bool(connection.execute(_TAKE, {"seat": SEAT}).scalar_one())
        finally:
            if not taken:
                connection.close()
        self._connection = connection if taken else None
        return taken
