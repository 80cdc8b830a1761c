"""What the pages of other sites may do: read the feed and report signals, if ``ORCHESTRATOR_ALLOWED_ORIGINS`` names
them, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.web.api.segment import CALLS

OPEN = ("/v1/feed", *(f"/v1/{call}" for name in CALLS for call in (name, name[0])), "/v1/batch", "/v1/b")


class PageCors:
    """ASGI middleware. Tokens travel in a header or a body, so cookies are never allowed along."""

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
        path: str = scope.get("path", "")
        is_open = scope["type"] == "http" and (path in OPEN or path.startswith("/v1/feed/"))
        await (self._open if is_open else self._app)(scope, receive, send)
