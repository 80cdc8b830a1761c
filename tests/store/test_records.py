"""Records and their tables: a field that is no column would be found by PostgreSQL, and only when a row is written."""

from __future__ import annotations

from dataclasses import fields

import pytest
from sqlalchemy import Table

from orchestrator.records.cooldown import CooldownRow, HoldRow
from orchestrator.records.enrollment import ConversionRow, RefusalRow
from orchestrator.records.inbox import InboxRequest, SignalRow
from orchestrator.records.message import LastVerdict, ReceiptRow
from orchestrator.store.sql import tables as t


@pytest.mark.parametrize(
    ("record", "table"),
    [
        (ConversionRow, t.conversions),
        (CooldownRow, t.cooldowns),
        (HoldRow, t.holds),
        (InboxRequest, t.inbox),
        (LastVerdict, t.verdicts),
        (ReceiptRow, t.receipts),
        (RefusalRow, t.refusals),
        (SignalRow, t.signals),
    ],
    ids=lambda given: given.name if isinstance(given, Table) else given.__name__,
)
def test_the_fields_of_a_record_are_columns_of_its_table(record: type, table: Table) -> None:
    assert {field.name for field in fields(record)} <= set(table.columns.keys())
