"""Which other sites' pages may read the feed: those named in ``ORCHESTRATOR_ALLOWED_ORIGINS``, and nothing but it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class FeedCors:
    """ASGI middleware. Tokens travel in a header, so cookies are never allowed along."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_feed = scope["type"] == "http" and scope["path"].startswith("/v1/feed")
        await (self._open if is_feed else self._app)(scope, receive, send)
