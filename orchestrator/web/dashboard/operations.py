"""For who runs the engine: what the guardrails held back, how far behind it is, and what was set aside."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from orchestrator.store import parked
from orchestrator.store.reports import health as engine_health
from orchestrator.web.dashboard import reads
from orchestrator.web.dashboard.frame import show
from orchestrator.web.dashboard.sessions import Operating, Visitor
from orchestrator.web.deps import TheEngine

router = APIRouter(include_in_schema=False)


@router.get("/held-back")
def held_back(
    engine: TheEngine,
    session: Visitor,
    policy: Annotated[str | None, Query(max_length=50)] = None,
    days: Annotated[int, Query(ge=1, le=365)] = 7,
) -> HTMLResponse:
    """What was not said, and why: by guardrail, and message by message."""
    with engine.database.connect() as connection:
        since = engine.clock.read(connection).business - timedelta(days=days)
        objections = reads.objections(connection, since)
        rows = reads.held_back(connection, since, policy)
    return show(
        engine,
        session,
        "held_back.html",
        title="Held back",
        objections=objections,
        rows=rows,
        policy=policy,
        days=days,
    )


@router.get("/engine")
def engine_page(engine: TheEngine, session: Visitor) -> HTMLResponse:
    """Lags, queues, and what was set aside because deciding about it failed."""
    with engine.database.connect() as connection:
        read = engine.clock.read(connection)
        health = engine_health.health(connection, business=read.business, machine=read.machine)
        aside = parked.listed(connection)
    return show(engine, session, "engine.html", title="Engine", health=health, parked=aside)


@router.post("/engine/release")
def release(
    engine: TheEngine,
    _session: Operating,
    customer_id: Annotated[int, Form()],
    enrollment_id: Annotated[int, Form()],
) -> Response:
    """Let a parked walk, or customer, go on: after its cause was put right."""
    with engine.database.begin() as connection:
        parked.release(connection, [(customer_id, enrollment_id)])
    engine.nudge()
    return RedirectResponse("/engine", 303)
