"""What every response gets: a request id, security headers, a log line and its place in the metrics."""

from __future__ import annotations

import logging
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator import clock, telemetry
from orchestrator.ids import new_key
from orchestrator.web.problems import answer_to, problem_of

_log = logging.getLogger(__name__)

# Pages carry their own style and script files only: nothing inline, nothing from elsewhere.
STRICT_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": STRICT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class HttpMetrics:
    """Counters of one process, by route and never by path: paths hold ids and tokens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter("orchestrator_http_requests", "Requests answered", labels, registry=registry)
        self.seconds = Histogram(
            "orchestrator_http_request_seconds",
            "Seconds until a request was answered",
            ("method", "route"),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.open = Gauge("orchestrator_http_requests_open", "Requests being answered", registry=registry)


class Observed:
    """ASGI middleware, the outermost one: an unexpected error becomes an answer without a traceback here."""

    def __init__(self, app: ASGIApp, *, metrics: HttpMetrics, https: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._headers = dict(_HEADERS)
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_key()
        began = clock.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "public, max-age=300"
            await send(message)

        self._metrics.open.inc()
        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            telemetry.emit(
                "http.failed",
                method=scope["method"],
                route=route_of(scope),
                error=f"{type(error).__name__}",
                request_id=request_id,
            )
            _log.error("request %s failed", request_id, exc_info=error)
            if status:
                raise  # half an answer is out: the connection must break
            await answer_to(Request(scope), problem_of(error))(scope, receive, watched)
        finally:
            seconds = clock.monotonic() - began
            self._metrics.open.dec()
            route = route_of(scope)
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            self._metrics.seconds.labels(scope["method"], route).observe(seconds)
            telemetry.emit(
                "http.request",
                method=scope["method"],
                route=route,
                status=status,
                seconds=round(seconds, 4),
                request_id=request_id,
            )


def route_of(scope: Scope) -> str:
    """The pattern of the route that answered: ``/u/{token}``."""
    return str(getattr(scope.get("route"), "path", None) or "(none)")
