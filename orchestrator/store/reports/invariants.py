"""What must hold in the database at every moment, each as one query that returns the rows which break it.

Run by tests, by the demo and by ``orchestrator doctor --invariants``. Every query is one statement, so it sees one
snapshot and may run beside a working engine. They presume what the laws demand: business time is read *after* the
customer's lock, so instants of one customer are in the order of the commits.

Not here, because SQL cannot see them: quiet hours (wall times of zones), the two-second rule, and what a provider did
without telling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from orchestrator.core.machine.enrollment import EnrollmentState, state_to_json
from orchestrator.language.model import Cap
from orchestrator.store.reports.invariant_queries import CAP, INVARIANTS
from orchestrator.store.sql.pg_arrays import to_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One row that breaks an invariant. ``row_id`` is an enrollment's or a message's, as ``invariant`` implies."""

    invariant: str
    about: str
    customer_id: int
    row_id: int | None
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: customer {self.customer_id}, row {self.row_id}: {self.detail}"


def check_invariants(
    connection: Connection, *, caps: Sequence[Cap] = (), since: datetime | None = None, most: int = 100
) -> list[Violation]:
    """Every violation, at most ``most`` of each kind; empty is how it should be.

    ``caps`` are the account's (a playbook's own limit only its own messages and are not asked here). Places are
    looked at from ``since`` on: the instant the caps were last made stricter, or places were last cleaned up.
    """
    values = {
        "most": most,
        "since": since,
        "first_state": to_json(state_to_json(EnrollmentState())),
    }
    found: list[Violation] = []
    for invariant in INVARIANTS:
        used = {name: value for name, value in values.items() if f":{name}" in invariant.sql}
        rows = connection.execute(text(f"{invariant.sql} LIMIT :most"), used | {"most": most}).all()
        found.extend(
            Violation(
                invariant=invariant.name,
                about=invariant.about,
                customer_id=row.customer_id,
                row_id=row.row_id,
                detail=row.detail,
            )
            for row in rows
        )
    for cap in dict.fromkeys(caps):
        found.extend(_over(connection, cap, since, most))
    return found


def _over(connection: Connection, cap: Cap, since: datetime | None, most: int) -> list[Violation]:
    rows = connection.execute(
        text(f"{CAP.sql} LIMIT :most"),
        {
            "at_most": cap.at_most,
            "within": cap.within.span,
            "channel": cap.channel,
            "topic": cap.topic,
            "since": since,
            "most": most,
        },
    )
    return [
        Violation(
            invariant=CAP.name,
            about=CAP.about,
            customer_id=row.customer_id,
            row_id=row.row_id,
            detail=f"{row.taken} places within {cap.within}, at most {cap.at_most} are allowed "
            f"(channel {cap.channel or 'any'}, topic {cap.topic or 'any'})",
        )
        for row in rows
    ]
