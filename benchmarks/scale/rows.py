"""Many customers with a walk, a message and an inbox row each, made of one true run by a few INSERT ... SELECT.

The first customer walks the playbook for real; the others are copies, so every column holds what the engine writes.
"""

from __future__ import annotations

from datetime import timedelta

from benchmarks.harness.scratch import analyse, connect
from benchmarks.two_sends import workload

_COPIED = ("enrollments", "timers", "messages", "journal", "verdicts", "cap_slots", "dispatch")
_OWN_IDS = {"id", "enrollment_id", "message_id"}
_SHIFT = 1_000_000
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    " ORDER BY attnum"
)
DUE_OVER = timedelta(minutes=10)
"""The timers of the copies are due within so long, after the two days that the true one listens."""


def fill(url: str, count: int) -> None:
    """Copy what the first customer has to ``count`` others, and analyse."""
    with connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        first = connection.execute("SELECT min(customer_id) FROM enrollments").fetchone()
        assert first is not None
        seed = int(first[0])
        traits = '{"plan": "pro", "first_name": "Ada"}'
        connection.execute(
            "INSERT INTO customers (key, attributes, created_at, updated_at)"
            " SELECT 'x' || n, %s::jsonb, now(), now() FROM generate_series(1, %s) n",
            [traits, count],
        )
        connection.execute(
            "INSERT INTO contact_points (customer_id, channel, address, source, created_at)"
            " SELECT id, 'email', key || '@bench.example', 'identify', now() FROM customers WHERE key LIKE 'x%'"
        )
        for table in _COPIED:
            columns = [row[0] for row in connection.execute(_COLUMNS, [table])]
            chosen = ", ".join(_expression(table, name) for name in columns)
            connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} s"
                f" CROSS JOIN customers c WHERE s.customer_id = {seed} AND c.key LIKE 'x%'"
            )
        for sequence in ("enrollment_ids", "message_ids"):
            connection.execute(f"SELECT setval('{sequence}', {_SHIFT * 4 + count * 2})")
    analyse(url)


def hold_back(url: str) -> None:
    """A message of every copy waits for tomorrow, as a cap or the night would make it wait."""
    with connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(
            "INSERT INTO dispatch (customer_id, message_id, provider, due_at, free_at)"
            " SELECT customer_id, id, 'sandbox', now() + interval '30 days', now() FROM messages ON CONFLICT DO NOTHING"
        )
    analyse(url)


def fill_inbox(url: str) -> None:
    """An event of every copy waits."""
    with connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(
            "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
            " SELECT id, nextval('inbox_ids'), 'signal', now(), now(), %s::jsonb FROM customers WHERE key LIKE 'x%%'",
            [f'{{"name": "{workload.EVENT}", "properties": {{}}}}'],
        )
    analyse(url)


def _expression(table: str, column: str) -> str:
    if column == "customer_id":
        return "c.id"
    if column in _OWN_IDS:
        return f"s.{column} + {_SHIFT} + c.id"
    if (table, column) == ("timers", "due_at"):
        return f"s.due_at + (c.id % 600) * interval '{DUE_OVER.total_seconds() / 600} s'"
    return f"s.{column}"
