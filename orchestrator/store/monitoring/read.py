"""The figures as they were kept: what pages, ``doctor``, readiness and Prometheus read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from orchestrator import metrics
from orchestrator.clock import Instants
from orchestrator.records.operations.work import LANES, Health, LaneState, ProcessState
from orchestrator.store.monitoring.count import EVERY, Labels, count_now
from orchestrator.store.monitoring.processes import heard_of

FRESH = 3 * EVERY  # what was kept longer ago is counted for whoever asks
_KEPT = text("SELECT metric, labels, value, counted_at FROM work_counters WHERE metric = ANY(:metrics)")
_COUNTED = text(
    "SELECT metric, labels, value FROM work_counters WHERE metric <> ALL(:work) ORDER BY metric, labels"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkFigures:
    """Work figures by metric and labels. ``kept_for``: machine time since they were counted for everybody, None when
    they never were; ``at_least``: the metrics that are a lower bound."""

    values: Mapping[tuple[str, Labels], float]
    kept_for: timedelta | None
    counted_for_asker: bool
    at_least: Sequence[str] = ()


def work_figures(connection: Connection, now: Instants) -> WorkFigures:
    """What was counted lately, else what is counted now, at a price that does not grow with the work."""
    found: dict[tuple[str, Labels], float] = {}
    counted_at: datetime | None = None
    for row in connection.execute(_KEPT, {"metrics": list(metrics.GAUGES)}):
        found[row.metric, tuple(sorted(row.labels.items()))] = row.value
        if row.metric == metrics.RATE:
            counted_at = row.counted_at
    kept_for = None if counted_at is None else max(now.machine - counted_at, timedelta(0))
    if kept_for is not None and kept_for <= FRESH:
        there = {metric for metric, _ in found}
        missing = [
            name for name in (metrics.WAITING, metrics.LIVE) if name not in there
        ]  # in the first pass still
        return WorkFigures(values=found, kept_for=kept_for, counted_for_asker=False, at_least=missing)
    counted = count_now(connection, now)
    return WorkFigures(
        values=counted.values, kept_for=kept_for, counted_for_asker=True, at_least=sorted(counted.at_least)
    )


def health(connection: Connection, now: Instants) -> Health:
    """How the work stands."""
    return health_of(work_figures(connection, now), heard_of(connection, now.machine))


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """``counted``: what all processes counted, ever: (sample, labels, value)."""

    figures: WorkFigures
    health: Health
    counted: Sequence[tuple[str, Mapping[str, str], float]]


def watched(connection: Connection, now: Instants) -> Watched:
    """Everything that is kept, at one reading."""
    figures = work_figures(connection, now)
    rows = connection.execute(_COUNTED, {"work": list(metrics.GAUGES)})
    return Watched(
        figures=figures,
        health=health_of(figures, heard_of(connection, now.machine)),
        counted=[(row.metric, row.labels, row.value) for row in rows],
    )


def health_of(figures: WorkFigures, processes: Sequence[ProcessState]) -> Health:
    """The figures in the form in which people and pages look at them."""
    by: dict[str, dict[tuple[str, ...], float]] = {}
    for (metric, labels), value in figures.values.items():
        given = dict(labels)
        by.setdefault(metric, {})[tuple(given[name] for name in metrics.GAUGES[metric].labels)] = value

    def one(metric: str, *labels: str) -> float:
        return by.get(metric, {}).get(labels, 0.0)

    def all_of(metric: str) -> dict[str, int]:
        found = sorted(by.get(metric, {}).items(), key=lambda item: (-item[1], item[0]))
        return {labels[0]: int(value) for labels, value in found}

    lanes = [
        LaneState(
            lane=lane,
            provider=provider,
            lag=timedelta(seconds=lag),
            due=int(one(metrics.DUE, lane, provider)),
        )
        for (lane, provider), lag in by.get(metrics.LAG, {}).items()
    ]
    return Health(
        age=timedelta(0) if figures.counted_for_asker else figures.kept_for or timedelta(0),
        lanes=sorted(
            lanes, key=lambda lane: (LANES.index(lane.lane) if lane.lane in LANES else 9, lane.provider)
        ),
        live=int(one(metrics.LIVE)),
        planned=int(one(metrics.WAITING, "planned")),
        handing_over=int(one(metrics.WAITING, "handing_over")),
        uncertain=int(one(metrics.WAITING, "uncertain")),
        lapsed=int(one(metrics.LAPSED)),
        held=all_of(metrics.HELD),
        parked=all_of(metrics.PARKED),
        clock_rate=one(metrics.RATE),
        processes=processes,
        at_least=figures.at_least,
    )
