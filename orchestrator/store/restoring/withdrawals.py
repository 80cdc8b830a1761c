"""Writes every withdrawal to the log outside the database before it is committed.

In that order nothing committed can be missing: what is logged and then not committed is still a withdrawal that a
person asked for. Where the log cannot be written, the entry is kept in ``unlogged_withdrawals`` by the same
transaction, and the sweep makes up for it: a person's withdrawal never waits for a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from channels.table import traits_of
from orchestrator.core.consent.scope import ANY
from orchestrator.records.consent import NewConsentRow
from orchestrator.records.restore import LoggedWithdrawal, LogMark
from orchestrator.store.restoring.withdrawal_log import (
    LogAway,
    WithdrawalLog,
    entry_from_json,
    entry_to_json,
)
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import unlogged_withdrawals
from orchestrator.telemetry import emit

AT_ONCE = 500
_WHO = text("""
SELECT c.id, c.key, p.channel, p.address FROM customers AS c LEFT JOIN contact_points AS p ON p.customer_id = c.id
 WHERE c.id = ANY(CAST(:ids AS bigint[])) AND c.erased_at IS NULL""")
_UNLOGGED = text("SELECT id, entry FROM unlogged_withdrawals ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED")
_LOGGED = text("DELETE FROM unlogged_withdrawals WHERE id = ANY(CAST(:ids AS bigint[]))")
_WAITING = text("SELECT count(*) FROM unlogged_withdrawals")
_COUNT = text("""
INSERT INTO withdrawal_log_marks (id, number) VALUES (1, 1)
ON CONFLICT (id) DO UPDATE SET number = withdrawal_log_marks.number + 1 RETURNING number""")


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawalWriter:
    """What one transaction withdraws, on its way to the log; without a log nothing is written."""

    connection: Connection
    hash_key: Callable[[str], str]
    log: WithdrawalLog | None

    def withdrawn(self, rows: Collection[NewConsentRow]) -> None:
        """Log the withdrawals among new ledger rows."""
        wanted = [row for row in rows if row.action in ("revoked", "erased")]
        if self.log is None or not wanted:
            return
        people = self._people({row.customer_id for row in wanted})
        self._write(
            [self._entry(row, *people[row.customer_id]) for row in wanted if row.customer_id in people]
        )

    def erased(self, identities: Sequence[str], now: datetime) -> None:
        """Log that a person was forgotten: ``identities`` are the key and then the addresses."""
        if self.log is None or not identities:
            return
        key, *addresses = identities
        entry = LoggedWithdrawal(
            kind="erased",
            channel=ANY,
            topic=ANY,
            method="api",
            occurred_at=now,
            recorded_at=now,
            customer=self.hash_key(key),
            addresses=tuple((ANY, self.hash_key(address)) for address in addresses),
        )
        self._write([entry])

    def _write(self, entries: Sequence[LoggedWithdrawal]) -> None:
        if self.log is None:
            return
        try:
            self.log.append(entries)
        except LogAway as error:
            emit("withdrawal_log.away", entries=len(entries), error=str(error))
            insert_rows(
                self.connection,
                unlogged_withdrawals,
                [{"entry": entry_to_json(entry), "at": entry.recorded_at} for entry in entries],
            )

    def _people(self, ids: Collection[int]) -> dict[int, tuple[str, dict[str, str]]]:
        """Key and addresses of those who are not erased."""
        found: dict[int, tuple[str, dict[str, str]]] = {}
        for row in self.connection.execute(_WHO, {"ids": sorted(ids)}):
            _, addresses = found.setdefault(row.id, (row.key, {}))
            if row.channel is not None:
                addresses[row.channel] = row.address
        return found

    def _entry(self, row: NewConsentRow, key: str, addresses: Mapping[str, str]) -> LoggedWithdrawal:
        reached = dict(addresses)
        if row.channel != ANY:
            points = traits_of(row.channel).contact_points
            reached = {point: addresses[point] for point in points if point in addresses}
        if row.address is not None:
            reached[row.channel] = row.address
        return LoggedWithdrawal(
            kind="erased" if row.action == "erased" else "revoked",
            channel=row.channel,
            topic=row.topic,
            method=row.method,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
            customer=self.hash_key(key),
            addresses=tuple((point, self.hash_key(address)) for point, address in sorted(reached.items())),
        )


def write_waiting(connection: Connection, log: WithdrawalLog) -> int:
    """Write up to :data:`AT_ONCE` of what the log has missed, and take it off the list; how many. Raises LogAway."""
    rows = connection.execute(_UNLOGGED, {"limit": AT_ONCE}).all()
    if rows:
        log.append([entry_from_json(row.entry) for row in rows])
        connection.execute(_LOGGED, {"ids": [row.id for row in rows]})
    return len(rows)


def count_up(connection: Connection, now: datetime) -> LogMark:
    """The next mark. It is written to the log when this is committed, never before."""
    number = connection.execute(_COUNT).scalar_one()
    return LogMark(number=number, at=now, unlogged=connection.execute(_WAITING).scalar_one())


def waiting(connection: Connection) -> int:
    """How many withdrawals wait for the log."""
    count: int = connection.execute(_WAITING).scalar_one()
    return count
