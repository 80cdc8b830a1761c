"""The live feed: server-sent events that begin with what the page missed and go on as the feed changes.

A change is told by Redis where there is one, and found by looking every two seconds where there is none. The database
is looked at in both cases: a push is a courtesy, and items also leave the feed by time alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from orchestrator import clock
from orchestrator.engine import Engine
from orchestrator.errors import BadToken, OrchestratorError
from orchestrator.service.delivery.live_push import feed_channel
from orchestrator.web.api import openapi
from orchestrator.web.api.auth import bearer_token
from orchestrator.web.deps import TheEngine, TheSettings
from orchestrator.web.feed.routes import FeedOwner, FeedView, read_feed

router = APIRouter(prefix="/v1/feed", tags=["feed"], responses={401: openapi.PROBLEM, 429: openapi.LIMITED})

LOOK_EVERY: Final = 2.0
LOOK_EVERY_WITH_PUSH: Final = 15.0
HEARTBEAT: Final = 15.0
_LOOKING: Final = 8  # streams of a process that look at the database at once
LONGEST: Final = 600.0  # then the page connects again: a restart of this process waits for nobody longer

WaitForPush = Callable[[float], Any]


@router.get(
    "/stream",
    summary="The feed, live (server-sent events)",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events named `feed`: the whole feed"}
    },
)
async def stream(
    *,
    engine: TheEngine,
    settings: TheSettings,
    request: Request,
    customer: FeedOwner,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Each event is the whole feed, its id the feed's version; with Last-Event-ID nothing is told twice."""
    token = bearer_token(request) or ""
    events = _events(engine, settings.redis, customer, token, last_event_id, threads=_threads(request))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(
    engine: Engine,
    redis_url: str | None,
    customer: int,
    token: str,
    known: str | None,
    *,
    threads: CapacityLimiter,
) -> AsyncIterator[str]:
    began = told = clock.monotonic()
    yield "retry: 2000\n\n"
    async with _pushes(redis_url, customer) as (wait, pause):
        while clock.monotonic() - began < LONGEST:
            try:
                engine.links.read_feed_token(token)
                view = await to_thread.run_sync(read_feed, engine, customer, limiter=threads)
            except BadToken:
                return
            except OrchestratorError:
                view = None  # the database is away: the page keeps what it shows
            if view is not None and view.version != known:
                known, told = view.version, clock.monotonic()
                yield _event(view)
            elif clock.monotonic() - told >= HEARTBEAT:
                told = clock.monotonic()
                yield ": alive\n\n"
            await wait(pause)


def _threads(request: Request) -> CapacityLimiter:
    """Threads of their own for looking: streams go on after the answer has begun, when they hold no place any more."""
    state = request.app.state
    if not hasattr(state, "stream_threads"):
        state.stream_threads = CapacityLimiter(_LOOKING)
    threads: CapacityLimiter = state.stream_threads
    return threads


def _event(view: FeedView) -> str:
    return f"id: {view.version}\nevent: feed\ndata: {view.model_dump_json()}\n\n"


@asynccontextmanager
async def _pushes(redis_url: str | None, customer: int) -> AsyncIterator[tuple[WaitForPush, float]]:
    """(wait for a push or so many seconds, how many seconds to wait)."""
    if redis_url is None:
        yield asyncio.sleep, LOOK_EVERY
        return
    client = aioredis.from_url(redis_url, socket_connect_timeout=1)
    listener = client.pubsub()
    try:
        try:
            await listener.subscribe(feed_channel(customer))
        except (RedisError, OSError):
            yield asyncio.sleep, LOOK_EVERY
            return

        async def wait(seconds: float) -> None:
            try:
                await listener.get_message(ignore_subscribe_messages=True, timeout=seconds)
            except (RedisError, OSError):
                await asyncio.sleep(LOOK_EVERY)

        yield wait, LOOK_EVERY_WITH_PUSH
    finally:
        with suppress(RedisError, OSError):
            await listener.aclose()  # type: ignore[no-untyped-call]
            await client.aclose()
