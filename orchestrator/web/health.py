"""For the machines that watch us: alive, ready, and figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.store.sql.tables import clock, dispatch, inbox, messages, parked, timers
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
    checks = {"database": "ok", "schema": "ok"}
    try:
        with engine.database.connect() as connection:
            connection.execute(text("SET LOCAL statement_timeout = '2s'"))
            if connection.execute(select(clock.c.rate)).scalar_one_or_none() is None:
                checks["schema"] = "the clock row is missing; run: orchestrator db upgrade"
    except SQLAlchemyError as error:
        is_schema = "UndefinedTable" in type(getattr(error, "orig", None)).__name__
        checks["schema" if is_schema else "database"] = (
            "not migrated; run: orchestrator db upgrade" if is_schema else "cannot be reached"
        )
    ready = all(state == "ok" for state in checks.values())
    return JSONResponse({"status": "ok" if ready else "not ready", "checks": checks}, 200 if ready else 503)


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
        found = [up]
        try:
            found += self._figures()
            up.add_metric([], 1)
        except SQLAlchemyError:
            up.add_metric([], 0)
        return found

    def _figures(self) -> list[GaugeMetricFamily]:
        with self._engine.connect() as connection:
            connection.execute(text("SET LOCAL statement_timeout = '5s'"))
            now = connection.execute(_NOW).scalar_one()
            waiting = GaugeMetricFamily(
                "orchestrator_waiting", "Rows that will move something", labels=["what"]
            )
            for table in (timers, dispatch, inbox, parked):
                count = connection.execute(select(func.count()).select_from(table)).scalar_one()
                waiting.add_metric([table.name], count)
            overdue = GaugeMetricFamily(
                "orchestrator_overdue_seconds", "Business seconds the oldest due row is late", labels=["what"]
            )
            for table in (timers, dispatch):
                oldest = connection.execute(select(func.min(table.c.due_at))).scalar_one()
                late = (now - oldest).total_seconds() if oldest else 0.0
                overdue.add_metric([table.name], max(0.0, late))
            sent = GaugeMetricFamily(
                "orchestrator_messages", "Messages by what became of them", labels=["status"]
            )
            for status, count in connection.execute(
                select(messages.c.status, func.count()).group_by(messages.c.status)
            ):
                sent.add_metric([status], count)
            rate = GaugeMetricFamily("orchestrator_clock_rate", "1 unless this is a rehearsal")
            rate.add_metric([], connection.execute(select(clock.c.rate)).scalar_one())
        return [waiting, overdue, sent, rate]


_NOW = text("SELECT business_anchor + (clock_timestamp() - machine_anchor) * rate FROM clock WHERE id = 1")
