"""For the machines that watch us: alive, ready, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.engine import Engine
from orchestrator.errors import OrchestratorError
from orchestrator.web.deps import TheEngine

router = APIRouter(tags=["operators"])


@router.get("/healthz", summary="The process is alive")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get(
    "/readyz",
    summary="Requests can be served: the database answers and is migrated",
    responses={503: {"description": "Not ready; `checks` says which part"}},
)
def readyz(engine: TheEngine) -> JSONResponse:
    found = engine.reports.readiness()
    return JSONResponse(
        {"status": "ok" if found.ready else "not ready", "checks": asdict(found)},
        200 if found.ready else 503,
    )


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    """Of this process, and of the whole engine as the database has it."""
    registry: CollectorRegistry = request.app.state.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class EngineCollector(Collector):
    """What waits in the database, counted when asked. A database that is away costs the figures, not the page."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # nothing is asked of the database before the first scrape

    def collect(self) -> list[GaugeMetricFamily]:
        up = GaugeMetricFamily("orchestrator_database_up", "1 when the database answers")
        try:
            found = self._engine.reports.figures()
        except OrchestratorError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        rate = GaugeMetricFamily("orchestrator_clock_rate", "1 unless this is a rehearsal")
        rate.add_metric([], found.clock_rate)
        return [
            up,
            _by("orchestrator_waiting", "Rows that will move something", "what", found.waiting),
            _by(
                "orchestrator_overdue_seconds",
                "Business seconds the oldest due row is late",
                "what",
                found.overdue,
            ),
            _by("orchestrator_messages", "Messages by what became of them", "status", found.messages),
            rate,
        ]


def _by(name: str, about: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
