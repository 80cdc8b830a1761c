"""The in-app feed: what a customer is shown, and what came of it. Opened by the customer's feed token alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Security
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.engine import Engine
from orchestrator.errors import BadToken
from orchestrator.records.feed import FeedAction
from orchestrator.web.api import openapi
from orchestrator.web.api.auth import bearer, bearer_token
from orchestrator.web.api.segment import Key
from orchestrator.web.deps import TheEngine
from orchestrator.web.feed.items import FeedItemBody, view
from orchestrator.web.middleware.throttle import throttle_of

router = APIRouter(
    prefix="/v1/feed",
    tags=["feed"],
    responses={401: openapi.PROBLEM, 422: openapi.PROBLEM, 429: openapi.LIMITED},
)


class FeedView(BaseModel):
    """What to show now, newest first."""

    items: list[FeedItemBody]
    unread: int = Field(description="How many may be seen and were not yet, also those beyond `limit`")
    version: str = Field(description="Changes whenever the items change; the stream's event id")


class DidRequest(BaseModel):
    """Which link, button or answer it was. Seen and dismissed need nothing."""

    model_config = ConfigDict(extra="forbid")

    detail: Key | None = Field(default=None, description="Link name or answer key", examples=["plans"])
    comment: str | None = Field(default=None, max_length=4000)


class DidView(BaseModel):
    recorded: bool = Field(description="False: known already")


def feed_customer(
    engine: TheEngine, request: Request, _documented: Annotated[object, Security(bearer)] = None
) -> int:
    """The customer whose token this is. Never in the address: those end up in logs."""
    token = bearer_token(request)
    throttle = throttle_of(request)
    if not token:
        throttle.failed(request, "feed tokens")
        raise BadToken("expected a feed token as Authorization: Bearer TOKEN")
    try:
        customer = engine.links.read_feed_token(token)
    except BadToken:
        throttle.failed(request, "feed tokens")
        raise
    throttle.fed(request, token)
    return customer


FeedOwner = Annotated[int, Depends(feed_customer)]


@router.get("", summary="What to show this customer now")
def feed(engine: TheEngine, customer: FeedOwner, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> FeedView:
    """Holds, cooldowns and opt-outs are asked again here: what may no longer be shown is left out."""
    return read_feed(engine, customer, limit)


@router.post(
    "/{message_id}/{did}", summary="Report what the customer did with an item", responses=openapi.MISSING
)
def did(
    engine: TheEngine,
    customer: FeedOwner,
    message_id: str,
    did: FeedAction,
    request: DidRequest | None = None,
) -> DidView:
    """`answered` needs `detail`, the key of the answer. Each thing counts once."""
    told = request or DidRequest()
    recorded = engine.report_feed_action(customer, message_id, did, detail=told.detail, comment=told.comment)
    return DidView(recorded=recorded)


def read_feed(engine: Engine, customer: int, limit: int = 20) -> FeedView:
    found = engine.feed(customer, limit=limit)
    items = [view(item) for item in found.items]
    return FeedView(items=items, unread=found.unread, version=version_of(items))


def version_of(items: list[FeedItemBody]) -> str:
    """The same items give the same version, in every process."""
    return "-".join(item.id.removeprefix("m_").replace("-", ".") for item in items) or "0"
