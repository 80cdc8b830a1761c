"""What the product asks for: start a playbook, report a response, keep consent, show the feed."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from orchestrator.keys import ApiKey
from orchestrator.records.consent import ConsentEvidence
from orchestrator.web.api import openapi
from orchestrator.web.api.idempotency import StoredResponse
from orchestrator.web.api.shapes import (
    ConsentRequest,
    EnrollmentBody,
    FeedToken,
    ReceiptView,
    RespondRequest,
    RespondResult,
    StartRequest,
)
from orchestrator.web.deps import Once, OnceWithdrawn, Product, TheEngine, TheWithdrawals

router = APIRouter(prefix="/v1", responses=openapi.ALWAYS | openapi.MISSING)


@router.post(
    "/playbooks/{name}/start",
    tags=["playbooks"],
    summary="Start a playbook for a customer",
    status_code=201,
    response_model=EnrollmentBody,
    responses={
        200: {"model": EnrollmentBody, "description": "Started before; this is it"},
        **openapi.REFUSED,
    },
)
def start(
    *,
    engine: TheEngine,
    once: Once,
    caller: Product,
    name: str,
    request: StartRequest,
    idempotency_key: openapi.IdempotencyKey = None,
) -> JSONResponse:
    """Checks re-entry, consent, cooldown and context, not the playbook's `enter.if`. Idempotent per `key`."""

    def act() -> StoredResponse:
        enrollment = engine.start_playbook(
            request.customer, name, context=request.context, key=request.key or idempotency_key
        )
        view = EnrollmentBody.of(enrollment)
        return StoredResponse(status=201 if enrollment.created else 200, body=view.model_dump(mode="json"))

    asked = ["start", name, request.model_dump(mode="json")]
    return once.once(caller=caller.name, key=idempotency_key, request=asked, act=act)


@router.post(
    "/messages/{message_id}/respond",
    tags=["messages"],
    summary="Report what a customer did with a message",
    response_model=RespondResult,
)
def respond(
    *,
    engine: TheEngine,
    once: Once,
    caller: Product,
    message_id: str,
    request: RespondRequest,
    idempotency_key: openapi.IdempotencyKey = None,
) -> JSONResponse:
    """For chat tools, CRMs and products that show messages themselves."""

    def act() -> StoredResponse:
        recorded = engine.respond(
            message_id,
            request.outcome,
            detail=request.detail,
            comment=request.comment,
            source_id=request.source_id or idempotency_key,
            at=request.at,
        )
        return StoredResponse(status=200, body={"recorded": recorded})

    asked = ["respond", message_id, request.model_dump(mode="json")]
    return once.once(caller=caller.name, key=idempotency_key, request=asked, act=act)


@router.post(
    "/customers/{key:path}/opt-out",
    tags=["consent"],
    summary="A customer no longer wants messages",
    response_model=ReceiptView,
)
def opt_out(
    *,
    engine: TheWithdrawals,
    once: OnceWithdrawn,
    caller: Product,
    key: openapi.CustomerKey,
    request: ConsentRequest,
    idempotency_key: openapi.IdempotencyKey = None,
) -> JSONResponse:
    """In force when this answers; the answer lists what was stopped."""

    def act() -> StoredResponse:
        receipt = engine.opt_out(
            key,
            channel=request.channel,
            topic=request.topic,
            evidence=_evidence(request, caller),
            source_id=request.source_id or idempotency_key,
        )
        return StoredResponse(status=200, body=ReceiptView.of(receipt).model_dump(mode="json"))

    asked = ["opt-out", key, request.model_dump(mode="json")]
    return once.once(caller=caller.name, key=idempotency_key, request=asked, act=act)


@router.post(
    "/customers/{key:path}/opt-in",
    tags=["consent"],
    summary="A customer wants messages again",
    status_code=204,
    response_class=Response,
)
def opt_in(
    engine: TheWithdrawals, caller: Product, key: openapi.CustomerKey, request: ConsentRequest
) -> None:
    """Re-opens only what it names."""
    engine.opt_in(
        key,
        channel=request.channel,
        topic=request.topic,
        evidence=_evidence(request, caller),
        source_id=request.source_id,
    )


@router.post(
    "/customers/{key:path}/feed-token", tags=["feed"], summary="A token for a customer's in-app feed"
)
def feed_token(engine: TheEngine, _caller: Product, key: openapi.CustomerKey) -> FeedToken:
    """Your server asks for it and puts it into the page for the widget; it opens this customer's feed alone."""
    token = engine.links.feed_token(engine.reports.customer_id(key))
    return FeedToken(token=token, expires_in=engine.links.feed_token_seconds)


def _evidence(request: ConsentRequest, caller: ApiKey) -> ConsentEvidence:
    return ConsentEvidence(
        method="api",
        source=request.source,
        actor=f"api:{caller.name}",
        wording=request.wording,
        wording_locale=request.wording_locale,
    )
