"""What is known of a database that was put back from a backup, and the statements that deal with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.records.restore import EVERY_STEP, LoggedWithdrawal, LostTime, RestoreState
from orchestrator.store.base_scans import ask_anew
from orchestrator.store.sql.bulk import insert_rows
from orchestrator.store.sql.tables import awaiting_withdrawals, doubtful_steps, tombstones

LOST_COLUMN = """
(SELECT to_jsonb(found) FROM (
    SELECT since, until, finished_at IS NULL AS pending,
           (SELECT bool_or(promotion_held) FROM restores) AS promotion_held,
           EXISTS (SELECT FROM doubtful_steps) AS doubtful, EXISTS (SELECT FROM awaiting_withdrawals) AS awaiting
      FROM restores ORDER BY id DESC LIMIT 1) AS found)"""
"""SQL of one column: the last restore, or null. :func:`lost_from` reads it."""

# No installation draws more ids of a kind in a second: they are drawn in transactions that write a row for each.
IDS_PER_SECOND = 10_000
IDS_AT_LEAST = 10_000_000  # blocks that processes hold, and a clock that was wrong

_SEQUENCES = text("""
SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) AS name FROM pg_sequences
 WHERE schemaname = current_schema() ORDER BY 1""")
_LAST = "SELECT last_value FROM {name}"
_MOVE = text("SELECT setval(CAST(:name AS regclass), :value)")
_LATEST = text("SELECT * FROM restores ORDER BY id DESC LIMIT 1")
_OF = text("SELECT * FROM restores WHERE since = :since ORDER BY id DESC LIMIT 1")
_BEGIN = text("""
INSERT INTO restores (since, until, found_by, promotion_held)
VALUES (:since, :until, :found_by, true) RETURNING *""")
_SAY = text("UPDATE restores SET since = :since, until = :until WHERE id = :id RETURNING *")
_UPDATE = "UPDATE restores SET {what} WHERE id = :id"
_ADD = text("""
UPDATE restores SET report = report || (
    SELECT coalesce(jsonb_object_agg(key, coalesce(CAST(report ->> key AS bigint), 0) + CAST(value AS bigint)), '{}')
      FROM jsonb_each_text(CAST(:numbers AS jsonb))) WHERE id = :id""")
_UNREAD = text("""
UPDATE messages SET status = 'uncertain', reason = :reason, handed_at = coalesce(handed_at, planned_at)
 WHERE customer_id = :customer AND status IN ('planned', 'handing_over') AND NOT held_out""")
_UNREAD_DISPATCH = text("""
UPDATE dispatch AS d SET free_at = :free_at, handed = true FROM messages AS m
 WHERE d.customer_id = :customer AND m.customer_id = d.customer_id AND m.id = d.message_id
   AND m.status = 'uncertain'""")
_UNREAD_STEPS = text("""
INSERT INTO doubtful_steps (customer_id, enrollment_id, steps)
SELECT customer_id, enrollment_id, ARRAY[CAST(:every AS text)] FROM timers WHERE customer_id = :customer
ON CONFLICT (customer_id, enrollment_id) DO UPDATE SET steps = EXCLUDED.steps""")
_MOVING = text("""
SELECT DISTINCT customer_id FROM (
    SELECT customer_id FROM timers WHERE customer_id > :after
    UNION ALL SELECT customer_id FROM dispatch WHERE customer_id > :after) AS moving
 ORDER BY customer_id LIMIT :limit""")
_COUNT_MOVING = text(
    "SELECT count(*) FROM (SELECT customer_id FROM timers UNION SELECT customer_id FROM dispatch) AS m"
)
_KEYS = text("SELECT id, key FROM customers WHERE id > :after AND erased_at IS NULL ORDER BY id LIMIT :limit")
_ADDRESSES = text("""
SELECT p.customer_id, c.key, p.channel, p.address FROM contact_points AS p
  JOIN customers AS c ON c.id = p.customer_id AND c.erased_at IS NULL
 WHERE (p.customer_id, p.channel) > (:after, :channel) ORDER BY p.customer_id, p.channel LIMIT :limit""")
_COUNT_CUSTOMERS = text("SELECT count(*) FROM customers")
_SAID = text("""
SELECT customer_id, channel, topic, occurred_at FROM consent_ledger
 WHERE customer_id = ANY(CAST(:ids AS bigint[])) AND action IN ('revoked', 'erased')""")
_CONNECTED = text("""
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'orchestrator' AND pid <> pg_backend_pid()""")
_COUNT_FROM = text("""
INSERT INTO withdrawal_log_marks (id, number) VALUES (1, :number)
ON CONFLICT (id) DO UPDATE SET number = greatest(withdrawal_log_marks.number, EXCLUDED.number)""")
_NUMBER = text("SELECT coalesce((SELECT number FROM withdrawal_log_marks WHERE id = 1), 0)")


def connected(connection: Connection) -> int:
    """Connections of processes that serve or work on this database."""
    count: int = connection.execute(_CONNECTED).scalar_one()
    return count


def latest(connection: Connection) -> RestoreState | None:
    """The last restore; None where this database never was one."""
    row = connection.execute(_LATEST).first()
    return None if row is None else _state(row)


def lost_from(column: Mapping[str, Any] | None) -> LostTime | None:
    """The value of :data:`LOST_COLUMN`."""
    if column is None:
        return None
    return LostTime(
        since=datetime.fromisoformat(column["since"]) if column["since"] else None,
        until=datetime.fromisoformat(column["until"]),
        pending=column["pending"],
        promotion_held=column["promotion_held"],
        doubtful=column["doubtful"],
        awaiting=column["awaiting"],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresRestores:
    """Restores, on one connection. ``hash_key`` is the keyed hash of the log."""

    connection: Connection
    hash_key: Callable[[str], str]

    def latest(self) -> RestoreState | None:
        return latest(self.connection)

    def begin(self, *, since: datetime, until: datetime) -> RestoreState:
        """The restore of the dump of ``since``: taken up where it was left, else begun."""
        known = self.connection.execute(_OF, {"since": since}).first()
        if known is not None:
            return _state(known)
        found = self.connection.execute(_LATEST).first()
        if (
            found is not None and found.sequences_moved_at is None
        ):  # found by a mark, and nobody has said since when
            row = self.connection.execute(_SAY, {"id": found.id, "since": since, "until": until}).one()
        else:
            values = {"since": since, "until": until, "found_by": "person"}
            row = self.connection.execute(_BEGIN, values).one()
        return _state(row)

    def found(self, *, since: datetime | None, until: datetime) -> None:
        """This database counts less than the log: nothing moves until somebody deals with it."""
        self.connection.execute(_BEGIN, {"since": since, "until": until, "found_by": "mark"})

    def move_sequences(self, restore: RestoreState, now: datetime) -> int:
        """Move every sequence past any id that may have been given since; how many. Done once a restore."""
        lost = max((restore.until - restore.since).total_seconds(), 0) if restore.since else 0
        gap = IDS_AT_LEAST + int(lost * IDS_PER_SECOND)
        names = list(self.connection.execute(_SEQUENCES).scalars())
        for name in names:
            last = self.connection.execute(text(_LAST.format(name=name))).scalar_one()
            self.connection.execute(_MOVE, {"name": name, "value": last + gap})
        self._set(restore.id, "sequences_moved_at = :now", now=now)
        self.add(restore.id, {"sequences": len(names)})
        return len(names)

    def moving(self, *, after: int, limit: int) -> list[int]:
        """Customers with a live enrollment or an unsettled message, in id order."""
        return list(self.connection.execute(_MOVING, {"after": after, "limit": limit}).scalars())

    def count_moving(self) -> int:
        count: int = self.connection.execute(_COUNT_MOVING).scalar_one()
        return count

    def doubt(self, steps: Mapping[tuple[int, int], Collection[str]]) -> None:
        """Keep which steps of (customer, enrollment) may have spoken before; more are added to what is kept."""
        rows = [
            {"customer_id": customer_id, "enrollment_id": enrollment_id, "steps": sorted(names)}
            for (customer_id, enrollment_id), names in sorted(steps.items())
            if names
        ]
        insert_rows(self.connection, doubtful_steps, rows, on_conflict="update")

    def doubt_unread(self, customer_id: int, *, reason: str, free_at: datetime) -> int:
        """By rows alone: what is planned or on the wire is uncertain, and every step of every enrollment in doubt."""
        values = {"customer": customer_id, "reason": reason, "free_at": free_at}
        uncertain = self.connection.execute(_UNREAD, values).rowcount
        self.connection.execute(_UNREAD_DISPATCH, values)
        self.connection.execute(_UNREAD_STEPS, {"customer": customer_id, "every": EVERY_STEP})
        return uncertain

    def passed(self, restore_id: int, customer_id: int) -> None:
        """Everybody up to this customer is dealt with, in this transaction."""
        self._set(restore_id, "next_customer = :customer", customer=customer_id)

    def enrollments_done(self, restore_id: int, now: datetime) -> None:
        self._set(restore_id, "enrollments_done_at = coalesce(enrollments_done_at, :now)", now=now)

    def keys(self, *, after: int, limit: int) -> list[tuple[int, str, str]]:
        """The next customers in id order: id, key and the key's hash."""
        rows = self.connection.execute(_KEYS, {"after": after, "limit": limit})
        return [(row.id, row.key, self.hash_key(row.key)) for row in rows]

    def addresses(self, *, after: tuple[int, str], limit: int) -> list[tuple[int, str, str, str]]:
        """The next contact points in order: customer, key, channel and the address's hash."""
        values = {"after": after[0], "channel": after[1], "limit": limit}
        rows = self.connection.execute(_ADDRESSES, values)
        return [(row.customer_id, row.key, row.channel, self.hash_key(row.address)) for row in rows]

    def count_customers(self) -> int:
        count: int = self.connection.execute(_COUNT_CUSTOMERS).scalar_one()
        return count

    def said_no(self, customer_ids: Collection[int]) -> set[tuple[int, str, str, datetime]]:
        """The withdrawals in the ledger of these customers: (customer, channel, topic, when)."""
        rows = self.connection.execute(_SAID, {"ids": sorted(customer_ids)})
        return {(row.customer_id, row.channel, row.topic, row.occurred_at) for row in rows}

    def await_people(self, entries: Sequence[LoggedWithdrawal]) -> int:
        """Keep withdrawals of people this database does not know, by the hashes of their key and addresses; how many
        people were new."""
        rows: dict[tuple[str, str, str, datetime], dict[str, Any]] = {}
        for entry in entries:
            reached = [(entry.customer, entry.channel)] + [
                (hashed, channel if entry.channel != "*" else "*") for channel, hashed in entry.addresses
            ]
            for hashed, channel in reached:
                row = {
                    "identity_hash": hashed,
                    "channel": channel,
                    "topic": entry.topic,
                    "occurred_at": entry.occurred_at,
                }
                rows[hashed, channel, entry.topic, entry.occurred_at] = row
        written = insert_rows(
            self.connection,
            awaiting_withdrawals,
            list(rows.values()),
            on_conflict="nothing",
            returning=("identity_hash",),
        )
        new = {row.identity_hash for row in written}
        return len({entry.customer for entry in entries if entry.customer in new})

    def bury(self, entries: Sequence[LoggedWithdrawal]) -> None:
        """Nobody of these keys and addresses is let in again."""
        rows = {
            hashed: {"key_hash": hashed, "erased_at": entry.occurred_at}
            for entry in entries
            for hashed in (entry.customer, *(hashed for _, hashed in entry.addresses))
        }
        insert_rows(self.connection, tombstones, list(rows.values()), on_conflict="nothing")

    def add(self, restore_id: int, numbers: Mapping[str, int]) -> None:
        """Add to the numbers of the report."""
        self.connection.execute(_ADD, {"id": restore_id, "numbers": json.dumps(dict(numbers))})

    def finish(self, restore_id: int, now: datetime, *, held: bool, accepted_by: str | None) -> None:
        """Let the work go on, promotion too unless ``held``; ``accepted_by`` took the loss on themselves."""
        self._set(
            restore_id,
            "finished_at = coalesce(finished_at, :now), promotion_held = :held,"
            " accepted_by = coalesce(CAST(:by AS text), accepted_by),"
            " accepted_at = CASE WHEN CAST(:by AS text) IS NULL THEN accepted_at ELSE :now END",
            now=now,
            held=held,
            by=accepted_by,
        )
        if not held:
            self.connection.execute(text("UPDATE restores SET promotion_held = false"))
            ask_anew(self.connection, now)

    def counted(self) -> int:
        """The last mark of the withdrawal log that this database knows; 0 when there was none."""
        number: int = self.connection.execute(_NUMBER).scalar_one()
        return number

    def count_at_least(self, number: int) -> None:
        """Go on counting behind ``number``."""
        self.connection.execute(_COUNT_FROM, {"number": number})

    def _set(self, restore_id: int, what: str, **values: Any) -> None:
        self.connection.execute(text(_UPDATE.format(what=what)), {"id": restore_id, **values})


def _state(row: Any) -> RestoreState:
    return RestoreState(
        id=row.id,
        since=row.since,
        until=row.until,
        sequences_moved=row.sequences_moved_at is not None,
        next_customer=row.next_customer,
        enrollments_done=row.enrollments_done_at is not None,
        finished_at=row.finished_at,
        promotion_held=row.promotion_held,
        accepted_by=row.accepted_by,
        report=row.report,
    )
