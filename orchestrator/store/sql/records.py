"""Records as rows: a record's fields are columns of its table, by the same names, and no field is anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal

from sqlalchemy import Connection, Table

from orchestrator.records.cooldown import CooldownRow, HoldRow
from orchestrator.records.enrollment import ConversionRow, RefusalRow
from orchestrator.records.inbox import InboxRequest, SignalRow
from orchestrator.records.message import LastVerdict, ReceiptRow
from orchestrator.store.sql.bulk import insert_rows

Record = (
    ConversionRow | CooldownRow | HoldRow | InboxRequest | LastVerdict | ReceiptRow | RefusalRow | SignalRow
)


def columns(record: Record) -> dict[str, Any]:
    """The record's values by column."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def insert_records(
    connection: Connection,
    table: Table,
    records: Sequence[Record],
    *,
    on_conflict: Literal["error", "nothing"] = "error",
) -> None:
    """Insert all of them in one statement; with ``nothing`` those whose key is there already are left out."""
    insert_rows(connection, table, [columns(record) for record in records], on_conflict=on_conflict)
