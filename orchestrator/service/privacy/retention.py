"""Lets go of history that is older than policy.yaml keeps it, in short transactions, once a day."""

from __future__ import annotations

from orchestrator.clock import monotonic
from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit

CHORE = "prune"
NEEDED = ("signals", "enrollments")  # what versions published before may still look back over


def prune_daily(services: ServiceContext) -> dict[str, int]:
    """:func:`prune`, by whoever asks first on a day."""
    with services.store.begin() as transaction:
        if not transaction.history.due_once_a_day(CHORE, transaction.instants().business):
            return {}
    return prune(services)


def prune(services: ServiceContext) -> dict[str, int]:
    """Delete everything that is older than it is kept: rows by kind of history.

    What a condition, a hold, a goal or a cap of any published version looks back over stays, whatever policy.yaml says
    by now.
    """
    with services.store.begin() as transaction:
        catalogue = transaction.catalogue()
        spans = dict(catalogue.policy.retention.spans())
        now = transaction.instants().business
    for kind in NEEDED:
        if kind in spans:
            spans[kind] = max(spans[kind], catalogue.needs_history_of)
    pruned = {}
    for kind, span in spans.items():
        started, rows = monotonic(), 0
        block: int | None = 0
        while block is not None:
            with services.store.begin() as transaction:
                deleted, block = transaction.history.prune(kind, before=now - span, block=block)
            rows += deleted
        pruned[kind] = rows
        if rows:
            emit("history.pruned", table=kind, rows=rows, seconds=round(monotonic() - started, 3))
    return pruned
