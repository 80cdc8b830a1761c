"""Signals over HTTP, in the public Segment shapes: SDKs that speak them point here unchanged.

The browser's SDK knows each call by its first letter; those addresses are not in the API's document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body

from orchestrator.engine import Engine
from orchestrator.records.intake import Refused
from orchestrator.web.api import openapi
from orchestrator.web.api.segment import BatchCall, GroupCall, IdentifyCall, TrackCall, ingest, read_batch
from orchestrator.web.api.segment_route import SegmentRoute
from orchestrator.web.api.shapes import IngestResult
from orchestrator.web.deps import Reporter, TheEngine
from orchestrator.web.problems import FieldProblem, ProblemDetails

router = APIRouter(prefix="/v1", tags=["signals"], responses=openapi.ALWAYS, route_class=SegmentRoute)


@router.post("/i", include_in_schema=False)
@router.post("/identify", summary="Tell who a customer is")
def identify(
    engine: TheEngine, _caller: Reporter, call: Annotated[IdentifyCall, Body(examples=[openapi.IDENTIFY])]
) -> IngestResult:
    """Profile facts. `email`, `phone`, `timezone`, `locale`, `region`, `account` and `tags` have a meaning of their
    own; a trait of null removes it."""
    return _take(engine, call)


@router.post("/t", include_in_schema=False)
@router.post("/track", summary="Report what a customer did")
def track(
    engine: TheEngine, _caller: Reporter, call: Annotated[TrackCall, Body(examples=[openapi.TRACK])]
) -> IngestResult:
    """One signal. It counts once per `messageId`; `timestamp` is when it happened."""
    return _take(engine, call)


@router.post("/g", include_in_schema=False)
@router.post("/group", summary="Tell what an account is")
def group(
    engine: TheEngine, _caller: Reporter, call: Annotated[GroupCall, Body(examples=[openapi.GROUP])]
) -> IngestResult:
    """Facts of an account; with `userId` that customer belongs to it from now on."""
    return _take(engine, call)


@router.post("/b", include_in_schema=False)
@router.post("/batch", summary="Many identify, track and group calls at once")
def batch(engine: TheEngine, _caller: Reporter, call: BatchCall) -> IngestResult:
    """Good items are taken even when others are bad; each bad field is listed with its JSON path."""
    good, refused = read_batch(call.batch)
    report = ingest(engine, good)
    everything = [*refused, *report.refused]
    if everything and not report.taken and not report.repeated:
        raise _refusal(everything)
    return IngestResult.of(report, refused)


def _take(engine: Engine, call: IdentifyCall | TrackCall | GroupCall) -> IngestResult:
    report = ingest(engine, [(0, value) for value in call.values()])
    if report.refused:
        raise _refusal(report.refused, root="$.batch[0]")
    return IngestResult.of(report)


def _refusal(refused: Sequence[Refused], *, root: str = "$") -> ProblemDetails:
    errors = [FieldProblem(path=item.path.replace(root, "$", 1), problem=item.problem) for item in refused]
    return ProblemDetails(422, "invalid", "nothing could be taken", errors=errors)
