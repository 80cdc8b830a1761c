"""Playbooks: the list with its live counts, and one playbook's drawing, funnel and arms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from orchestrator.analytics.funnel import funnel, funnels
from orchestrator.errors import NotFound, PlaybookError
from orchestrator.language.drawing.diagram import to_svg
from orchestrator.language.writing.json_values import from_plain
from orchestrator.records.playbook_version import StoredVersion
from orchestrator.store import published
from orchestrator.store.reports import health as engine_health
from orchestrator.web.api.playbooks import csv_response
from orchestrator.web.dashboard.frame import show
from orchestrator.web.dashboard.sessions import Operating, Visitor
from orchestrator.web.deps import TheEngine

router = APIRouter(include_in_schema=False)


@router.get("/")
def playbooks(engine: TheEngine, session: Visitor) -> HTMLResponse:
    """Every playbook's newest version: who walks it now, and what it earned."""
    with engine.database.connect() as connection:
        rows = funnels(connection)
        titles = {
            row.name: str(row.definition.get("title", row.name)) for row in published.newest(connection)
        }
        paused = published.paused(connection)
        read = engine.clock.read(connection)
        health = engine_health.health(connection, business=read.business, machine=read.machine)
    return show(
        engine,
        session,
        "playbooks.html",
        title="Playbooks",
        rows=rows,
        titles=titles,
        paused=paused,
        health=health,
    )


@router.get("/playbooks/{name}")
def playbook(engine: TheEngine, session: Visitor, name: str, version: int | None = None) -> HTMLResponse:
    """One version: its drawing with who stands where, how each step was left, and both arms side by side."""
    with engine.database.connect() as connection:
        row = funnel(connection, name, version)
        versions = published.versions(connection, name)
        paused = published.paused(connection)
    chosen = next(found for found in versions if found.version == row.version)
    return show(
        engine,
        session,
        "playbook.html",
        title=str(chosen.definition.get("title", name)),
        row=row,
        versions=versions,
        chosen=chosen,
        paused=paused.get(name),
        is_paused=name in paused,
        diagram=_drawing(chosen, {step.step: step.live for step in row.steps}),
        widest=max((step.visits for step in row.steps), default=1),
    )


@router.get("/playbooks/{name}/funnel.csv")
def funnel_csv(engine: TheEngine, _session: Visitor, name: str, version: int | None = None) -> Response:
    """The funnel step by step, for a spreadsheet."""
    with engine.database.connect() as connection:
        return csv_response(funnel(connection, name, version))


def _drawing(version: StoredVersion, counts: dict[str, int]) -> Markup | None:
    """The state diagram with head counts; None for a stored version that this release cannot read."""
    try:
        return Markup(to_svg(from_plain(version.definition), counts=counts))  # noqa: S704 - it escapes every text
    except PlaybookError:
        return None


@router.post("/playbooks/{name}/pause")
def pause(
    engine: TheEngine,
    _session: Operating,
    name: str,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Lets nobody in until resumed; who walks already goes on."""
    with engine.database.begin() as connection:
        if not published.versions(connection, name):
            raise NotFound("playbook", name)
        now = engine.clock.read(connection).business
        published.pause(connection, name, reason.strip() or "paused from the dashboard", now)
    return RedirectResponse(f"/playbooks/{name}", 303)


@router.post("/playbooks/{name}/resume")
def resume(engine: TheEngine, _session: Operating, name: str) -> Response:
    with engine.database.begin() as connection:
        published.resume(connection, name)
    return RedirectResponse(f"/playbooks/{name}", 303)
