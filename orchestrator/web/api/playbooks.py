"""What playbooks earn, for programs: the figures of the dashboard as JSON, and step by step as CSV."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from orchestrator.analytics.funnel import Funnel
from orchestrator.web.api import openapi
from orchestrator.web.deps import Reader, TheEngine

router = APIRouter(prefix="/v1/playbooks", tags=["playbooks"], responses=openapi.ALWAYS)


@router.get("", summary="Every playbook's newest version and its figures")
def playbooks(engine: TheEngine, _caller: Reader) -> list[dict[str, Any]]:
    """Live enrollments, conversions of both arms, lift with its interval."""
    return [row.to_plain() for row in engine.reports.funnels()]


@router.get(
    "/{name}/funnel",
    summary="One version's funnel",
    responses={
        200: {"content": {"text/csv": {}}, "description": "Everything as JSON, or steps and outcomes as CSV"},
        **openapi.MISSING,
    },
)
def playbook_funnel(
    engine: TheEngine,
    _caller: Reader,
    name: str,
    version: Annotated[int | None, Query(ge=1, description="Default: the newest")] = None,
    as_: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Steps, variants, messages, what was held back and why, how enrollments ended."""
    row = engine.reports.funnel(name, version)
    return csv_response(row) if as_ == "csv" else JSONResponse(row.to_plain())


def csv_response(row: Funnel) -> Response:
    """One line per step and word by which it was left; steps nobody has left have one line without a word."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["playbook", "version", "step", "visits", "live", "outcome", "left"])
    for step in row.steps:
        for outcome, count in step.outcomes.items() or [("", 0)]:
            writer.writerow([row.playbook, row.version, step.step, step.visits, step.live, outcome, count])
    name = f"{row.playbook}-{row.version}.csv"
    return Response(
        text.getvalue(),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
