"""The judge of process tests: what the database says, held against what the provider really took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from orchestrator.ids import parse_public_id
from tests.support.installation import Installation

_IN_DOUBT = ("handing_over", "uncertain", "abandoned")
# Known not to have left, because its worker slept too long; the walk had gone on in the meantime.
_LEFT = ("withdrawn", "the step was left before it could be tried again")


def judge(installation: Installation, customers: Collection[str]) -> None:
    """No message was taken twice, none was invented, none is said to be sent that was not, and nobody is lost.

    A message whose worker was killed during the hand-over may or may not have been taken: it must be listed as in
    doubt, and it must never leave again.
    """
    taken = Counter(entry["message_id"] for entry in installation.provider.sent())
    assert [name for name, times in taken.items() if times > 1] == [], "taken twice"

    rows = installation.rows("SELECT customer_id, id, status, reason, code FROM messages")
    status = {(row.customer_id, row.id): row.status for row in rows}
    for name in taken:
        found = parse_public_id(name)
        assert status[found.customer_id, found.row_id] in ("sent", *_IN_DOUBT), name
    arrived = {(parse_public_id(name).customer_id, parse_public_id(name).row_id) for name in taken}
    assert {key for key, outcome in status.items() if outcome == "sent"} <= arrived, (
        "said to be sent, never taken"
    )
    unsent = [row for row in rows if (row.customer_id, row.id) not in arrived and row.status not in _IN_DOUBT]
    lost = [row for row in unsent if (row.status, row.reason) != _LEFT]
    assert lost == [], f"neither sent nor in doubt: {lost}"

    spoken_to = installation.rows(
        "SELECT DISTINCT c.key FROM messages m JOIN customers c ON c.id = m.customer_id"
    )
    assert {row.key for row in spoken_to} == set(customers)
    assert installation.rows("SELECT * FROM parked") == []
    assert installation.violations() == []
