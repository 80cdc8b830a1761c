"""Playbooks: the list with its live counts, and one playbook's drawing, funnel and arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from orchestrator.errors import PlaybookError
from orchestrator.language.drawing.diagram import to_svg
from orchestrator.language.writing.json_values import from_plain
from orchestrator.web.api.playbooks import csv_response
from orchestrator.web.dashboard.frame import show
from orchestrator.web.dashboard.sessions import Operating, Visitor
from orchestrator.web.deps import TheEngine

router = APIRouter(include_in_schema=False)


@router.get("/")
def playbooks(engine: TheEngine, session: Visitor) -> HTMLResponse:
    """Every playbook's newest version: who is in it now, and what it earned."""
    found = engine.reports.playbooks()
    return show(
        engine,
        session,
        "playbooks.html",
        title="Playbooks",
        rows=found.funnels,
        titles=found.titles,
        paused=found.paused,
        counted_at=found.counted_at,
        health=found.health,
    )


@router.get("/playbooks/{name}")
def playbook(engine: TheEngine, session: Visitor, name: str, version: int | None = None) -> HTMLResponse:
    """One version: its drawing with who stands where, how each step was left, and both arms side by side."""
    found = engine.reports.playbook(name, version)
    steps = found.funnel.steps
    return show(
        engine,
        session,
        "playbook.html",
        title=str(found.chosen.definition.get("title", name)),
        row=found.funnel,
        versions=found.versions,
        chosen=found.chosen,
        counted_at=found.counted_at,
        paused=found.paused,
        is_paused=found.paused is not None,
        diagram=_drawing(found.chosen.definition, {step.step: step.live for step in steps}),
        widest=max((step.visits for step in steps), default=1),
    )


@router.get("/playbooks/{name}/funnel.csv")
def funnel_csv(engine: TheEngine, _session: Visitor, name: str, version: int | None = None) -> Response:
    """The funnel step by step, for a spreadsheet."""
    return csv_response(engine.reports.funnel(name, version))


def _drawing(definition: Mapping[str, Any], counts: Mapping[str, int]) -> Markup | None:
    """The state diagram with head counts; None for a stored version that this release cannot read."""
    try:
        return Markup(to_svg(from_plain(definition), counts=counts))  # noqa: S704 - it escapes every text
    except PlaybookError:
        return None


@router.post("/playbooks/{name}/pause")
def pause(
    engine: TheEngine,
    _session: Operating,
    name: str,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Lets nobody in until resumed; who is in it already goes on."""
    engine.pause(name, reason=reason.strip() or "paused from the dashboard")
    return RedirectResponse(f"/playbooks/{name}", 303)


@router.post("/playbooks/{name}/resume")
def resume(engine: TheEngine, _session: Operating, name: str) -> Response:
    engine.resume(name)
    return RedirectResponse(f"/playbooks/{name}", 303)
