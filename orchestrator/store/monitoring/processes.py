"""What processes tell of themselves, and what they counted: added up for all of them, so that it outlives each."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.records.operations.work import ProcessReport, ProcessState

HEARD = timedelta(seconds=30)  # machine time after which a process that says nothing is taken for gone
_KEPT = timedelta(hours=1)

_QUIETLY = text(
    "SET LOCAL synchronous_commit = off"
)  # a crash of the server may take a few seconds of figures
_BEAT = text("""
    INSERT INTO processes (process, role, version, started_at, beat_at, last_batch_at, state)
    VALUES (:process, :role, :version, :machine, :machine, CAST(:last_batch_at AS timestamptz), CAST(:state AS jsonb))
    ON CONFLICT (process) DO UPDATE SET beat_at = excluded.beat_at, last_batch_at = excluded.last_batch_at,
           state = excluded.state""")
_GONE = text("DELETE FROM processes WHERE beat_at < :before")
_LEAVE = text("DELETE FROM processes WHERE process = :process")
_ADD = text("""
    INSERT INTO work_counters AS w (metric, labels, value, counted_at)
    SELECT metric, CAST(labels AS jsonb), value, :machine
    FROM unnest(CAST(:metrics AS text[]), CAST(:labels AS text[]), CAST(:values AS float8[]))
      AS new(metric, labels, value) ORDER BY metric, labels
    ON CONFLICT (metric, labels) DO UPDATE SET value = w.value + excluded.value, counted_at = excluded.counted_at""")
_HEARD = text("""
    SELECT process, role, version, extract(epoch FROM :machine - beat_at)::float8 AS heard,
           extract(epoch FROM :machine - last_batch_at)::float8 AS last_batch, state
    FROM processes WHERE beat_at >= :since ORDER BY role, process LIMIT 500""")


def report(connection: Connection, told: ProcessReport, machine: datetime) -> None:
    """Keep what a process tells, and add what it counted."""
    connection.execute(_QUIETLY)
    last = None if told.last_batch is None else machine - timedelta(seconds=told.last_batch)
    values: dict[str, Any] = {"process": told.process, "role": told.role, "version": told.version}
    values |= {"machine": machine, "last_batch_at": last, "state": json.dumps(dict(told.state))}
    connection.execute(_BEAT, values)
    connection.execute(_GONE, {"before": machine - _KEPT})
    if told.counted:
        added = sorted(
            (metric, json.dumps(dict(labels)), value) for (metric, labels), value in told.counted.items()
        )
        metrics, labels, numbers = zip(*added, strict=True)
        connection.execute(
            _ADD,
            {"metrics": list(metrics), "labels": list(labels), "values": list(numbers), "machine": machine},
        )


def leave(connection: Connection, process: str) -> None:
    """It ends in order: nobody need wonder where it is."""
    connection.execute(_LEAVE, {"process": process})


def heard_of(connection: Connection, machine: datetime) -> list[ProcessState]:
    """The processes that said something within :data:`HEARD`."""
    rows = connection.execute(_HEARD, {"machine": machine, "since": machine - HEARD})
    return [
        ProcessState(
            process=row.process,
            role=row.role,
            version=row.version,
            heard=timedelta(seconds=max(0.0, row.heard)),
            last_batch=None if row.last_batch is None else timedelta(seconds=max(0.0, row.last_batch)),
            works=bool(row.state.get("works")),
            claiming_stopped=row.state.get("claiming_stopped"),
            breakers=tuple(row.state.get("breakers", ())),
            rates_used_up=tuple(row.state.get("rates_used_up", ())),
            broker_silent=bool(row.state.get("broker_silent")),
            results_waiting=int(row.state.get("results_waiting", 0)),
        )
        for row in rows
    ]
