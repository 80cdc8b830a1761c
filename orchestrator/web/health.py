"""For the machines that watch us: alive, ready, and figures for Prometheus."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator import metrics
from orchestrator.engine import Engine
from orchestrator.errors import OrchestratorError
from orchestrator.records.operations.work import Health, ProcessState
from orchestrator.web.deps import TheEngine

router = APIRouter(tags=["operators"])

_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "Not ready; `checks` says which part, and why"}
}


@router.get("/healthz", summary="The process is alive")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get(
    "/readyz", summary="The database answers, is migrated, and what is due is done", responses=_NOT_READY
)
def readyz(engine: TheEngine) -> JSONResponse:
    """For deployments and alarms. Where requests are sent, ask `/readyz/requests`: opt-outs must be taken while workers
    are away."""
    found = engine.reports.readiness()
    fault = engine.services.claiming.fault
    return _answer({**asdict(found), "build": fault or "ok"}, ok=found.ready and fault is None)


@router.get(
    "/readyz/requests",
    summary="Requests can be served: the database answers and is migrated",
    responses=_NOT_READY,
)
def readyz_requests(engine: TheEngine) -> JSONResponse:
    """For load balancers."""
    found = engine.reports.readiness()
    checks = {name: words for name, words in asdict(found).items() if name != "work"}
    return _answer(checks, ok=found.serves)


def _answer(checks: Mapping[str, str], *, ok: bool) -> JSONResponse:
    return JSONResponse({"status": "ok" if ok else "not ready", "checks": checks}, 200 if ok else 503)


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
def metrics_page(request: Request) -> Response:
    """Of this process, and of the whole installation as the database has it."""
    registry: CollectorRegistry = request.app.state.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class EngineCollector(Collector):
    """What was counted in the database. A database that is away costs the figures, not the page."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Metric]:
        return []  # nothing is asked of the database before the first scrape

    def collect(self) -> list[Metric]:
        try:
            found = self._engine.reports.watched()
        except OrchestratorError:
            return _gauges({("orchestrator_database_up", ()): 0})
        kept_for = found.figures.kept_for
        age = math.inf if kept_for is None else kept_for.total_seconds()
        values = {
            (name, tuple(dict(labels)[one] for one in metrics.GAUGES[name].labels)): value
            for (name, labels), value in found.figures.values.items()
        }
        values |= _of_processes(found.health, age)
        return [*_gauges(values), *_counted(found.counted)]


def _of_processes(health: Health, age: float) -> dict[tuple[str, tuple[str, ...]], float]:
    last = health.last_batch
    found: dict[tuple[str, tuple[str, ...]], float] = {
        ("orchestrator_database_up", ()): 1,
        ("orchestrator_counted_age_seconds", ()): age,
        ("orchestrator_last_batch_age_seconds", ()): math.inf if last is None else last.total_seconds(),
        ("orchestrator_claiming_stopped", ()): sum(
            one.claiming_stopped is not None for one in health.workers
        ),
        ("orchestrator_broker_silent", ()): sum(one.broker_silent for one in health.workers),
        ("orchestrator_results_waiting", ()): sum(one.results_waiting for one in health.workers),
    }

    def add(name: str, labels: Callable[[ProcessState], Iterable[str]]) -> None:
        for process in health.processes:
            for label in labels(process):
                found[name, (label,)] = found.get((name, (label,)), 0) + 1

    for role in ("web", "worker"):
        found["orchestrator_processes", (role,)] = 0
    add("orchestrator_processes", lambda one: ["worker" if one.works else "web"])
    add("orchestrator_breaker_open", lambda one: one.breakers)
    add("orchestrator_rate_used_up", lambda one: one.rates_used_up)
    return found


def _gauges(values: Mapping[tuple[str, tuple[str, ...]], float]) -> list[Metric]:
    families: list[Metric] = []
    for name, gauge in {**metrics.GAUGES, **metrics.PROCESS_GAUGES}.items():
        family = GaugeMetricFamily(name, gauge.says, labels=gauge.labels)
        for (metric, labels), value in values.items():
            if metric == name:
                family.add_metric(labels, value)
        families.append(family)
    return families


def _counted(samples: Iterable[tuple[str, Mapping[str, str], float]]) -> list[Metric]:
    """What all processes counted together; samples of a name that this version does not know are left out."""
    families = {family.name: Metric(family.name, family.documentation, family.type)
                for family in metrics.REGISTRY.collect()}  # fmt: skip
    for name, labels, value in samples:
        family = families.get(_family(name))
        if family is not None:
            family.add_sample(name, dict(labels), value)
    for family in families.values():
        family.samples.sort(key=lambda sample: (sorted(set(sample.labels.items()) - {("le", sample.labels.get("le"))}),
                                                sample.name, float(sample.labels.get("le", "0"))))  # fmt: skip
    return list(families.values())


def _family(sample: str) -> str:
    for ending in ("_total", "_bucket", "_count", "_sum"):
        if sample.endswith(ending):
            return sample.removesuffix(ending)
    return sample
