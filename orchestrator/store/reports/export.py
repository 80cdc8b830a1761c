"""The complete export of everything stored about a person, the story told as every other door tells it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.errors import NotFound
from orchestrator.store.reports.timeline import customer_timeline, json_value, rows_of
from orchestrator.store.sql import tables as t

EXPORTED: tuple[Table, ...] = (
    t.contact_points, t.signals, t.inbox, t.enrollments, t.timers, t.journal, t.refusals, t.not_entered, t.messages,
    t.dispatch, t.verdicts, t.receipts, t.provider_ids, t.cap_slots, t.feed_items, t.sandbox_inbox, t.consent_ledger,
    t.consents, t.cooldowns, t.holds, t.conversions, t.parked, t.seen_sources, t.doubtful_steps,
)  # fmt: skip


def export(connection: Connection, customer_id: int) -> dict[str, Any]:
    """Everything stored about one person, table by table, as JSON values. Raises NotFound.

    What cannot be understood is exported as it is stored.
    """
    person = connection.execute(select(t.customers).where(t.customers.c.id == customer_id)).first()
    if person is None:
        raise NotFound("customer", str(customer_id))
    account = connection.execute(select(t.accounts).where(t.accounts.c.id == person.account_id)).first()
    return {
        "format": "orchestrator.customer.1",
        "customer": _plain(person),
        "account": None if account is None else {"key": account.key},
        **{
            table.name: [_plain(row) for row in rows_of(connection, table, customer_id)] for table in EXPORTED
        },
        **_story(connection, customer_id),
    }


def _story(connection: Connection, customer_id: int) -> dict[str, Any]:
    """The story told; null where a stored value cannot be read. Its rows stand above, as they are stored."""
    try:
        return customer_timeline(connection, customer_id).to_plain()
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001 - the right to the data does not hang on whether it is in order
        return {"timeline": None, "explanations": None}


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {name: json_value(value) for name, value in row._mapping.items()}  # noqa: SLF001
