"""Threads that nothing else takes: a withdrawal is answered while every other request of the process waits.

Handlers run on threads of one pool. Each request belongs to a lane, and no lane has more requests at work than its
share of the pool: so a lane's threads are free however many requests of the others wait for theirs. A request is at
work until it begins to answer, and waits here, not on a thread.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """The requests whose ``METHOD /path`` begins like this, and how many of them may be at work at once."""

    requests: str
    threads: int

    def takes(self, method: str, path: str) -> bool:
        return re.match(self.requests, f"{method} {path}") is not None


OPT_OUTS: Final = Lane(requests=r"\w+ (/u/|/p/|/v1/customers/.+/opt-(out|in)$)", threads=8)
CALLBACKS: Final = Lane(requests=r"\w+ /webhooks/", threads=8)
PRIVACY: Final = Lane(requests=r"DELETE /v1/customers/|GET /v1/customers/.+/export$", threads=4)
OTHERS: Final = Lane(requests="", threads=40)

LANES: Final = (OPT_OUTS, CALLBACKS, PRIVACY, OTHERS)  # the first that takes a request
_SPARE: Final = 20  # threads for what is read after an answer has begun: static files


class Lanes:
    """ASGI middleware, the innermost one: bodies are here already, so that no slow upload holds a place."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._free = {lane: asyncio.Semaphore(lane.threads) for lane in LANES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        current_default_thread_limiter().total_tokens = sum(lane.threads for lane in LANES) + _SPARE
        place = _Place(self._free[lane_of(scope["method"], scope["path"])])
        await place.taken()

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start":
                place.left()
            await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            place.left()


class _Place:
    """One place of a lane, left once."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._held = False

    async def taken(self) -> None:
        await self._free.acquire()
        self._held = True

    def left(self) -> None:
        if self._held:
            self._held = False
            self._free.release()


def lane_of(method: str, path: str) -> Lane:
    """The lane of a request."""
    return next(lane for lane in LANES if lane.takes(method, path))
