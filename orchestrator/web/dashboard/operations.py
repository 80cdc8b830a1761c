"""For who runs the engine: what the guardrails held back, how far behind it is, and what was set aside."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from orchestrator.web.dashboard.frame import show
from orchestrator.web.dashboard.sessions import Operating, Visitor
from orchestrator.web.deps import TheEngine, TheSettings

router = APIRouter(include_in_schema=False)


@router.get("/held-back")
def held_back(
    engine: TheEngine,
    session: Visitor,
    policy: Annotated[str | None, Query(max_length=50)] = None,
    days: Annotated[int, Query(ge=1, le=365)] = 7,
) -> HTMLResponse:
    """What was not said, and why: by guardrail, and message by message."""
    found = engine.reports.held_back(days=days, policy=policy)
    return show(
        engine,
        session,
        "held_back.html",
        title="Held back",
        objections=found.objections,
        rows=found.messages,
        policy=policy,
        days=days,
        counted_at=found.counted_at,
    )


@router.get("/engine")
def engine_page(engine: TheEngine, settings: TheSettings, session: Visitor) -> HTMLResponse:
    """What needs somebody, lags by lane, processes, and what was set aside because deciding about it failed."""
    health, found = engine.reports.diagnosis(production=settings.env == "production")
    return show(
        engine,
        session,
        "engine.html",
        title="Engine",
        health=health,
        faults=[finding for finding in found if finding.page],
        runbook_url=settings.runbook_url,
        parked=engine.reports.parked(),
    )


@router.post("/engine/release")
def release(
    engine: TheEngine,
    _session: Operating,
    customer_id: Annotated[int, Form()],
    enrollment_id: Annotated[int, Form()],
) -> Response:
    """Let a parked enrollment, or customer, go on: after its cause was put right."""
    engine.release(customer_id, enrollment_id)
    return RedirectResponse("/engine", 303)
