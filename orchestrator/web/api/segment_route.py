"""How Segment's SDKs send what they send: JSON under any name, and their key in the body when no header carries it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

_AS_JSON = (b"content-type", b"application/json")


class SegmentRoute(APIRoute):
    """A route that reads its body as JSON whatever its Content-Type, and keeps its ``writeKey`` for
    :func:`orchestrator.web.api.auth.presented_key`.

    Browsers send ``text/plain``: so they need not ask first whether they may.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            others = [pair for pair in request.scope["headers"] if pair[0] != _AS_JSON[0]]
            request.scope["headers"] = [*others, _AS_JSON]
            request.state.write_key = await _write_key(request)
            return await handle(request)

        return handler


async def _write_key(request: Request) -> str | None:
    """The key of a call, or of a batch as a whole. What is no JSON is told by whoever reads the call."""
    try:
        call = await request.json()
    except (ValueError, RecursionError):
        return None
    key = call.get("writeKey") if isinstance(call, dict) else None
    return key if isinstance(key, str) else None
