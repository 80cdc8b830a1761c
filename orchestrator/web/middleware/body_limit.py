"""How much a request may carry and how long it may take: bodies are bounded, also in chunks or packed with gzip."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.web.problems import ProblemDetails

SECONDS = 20.0  # in which a body must be here: two megabytes over a slow line, and no byte a second
SMALL = 64 * 1024
BATCH = 1024 * 1024

# The longest prefix that fits decides.
LIMITS: Mapping[str, int] = {
    "/v1/batch": BATCH,
    "/v1/": 256 * 1024,
    "/webhooks/": 2 * BATCH,  # SendGrid sends up to 768 KB
    "/": SMALL,
}


class BodyLimit:
    """ASGI middleware: reads the body up to the path's limit, unpacks gzip; 413 above it, 408 for one that dawdles."""

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int] = LIMITS) -> None:
        self._app = app
        self._limits = sorted(limits.items(), key=lambda pair: len(pair[0]), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        limit = next(limit for prefix, limit in self._limits if scope["path"].startswith(prefix))
        try:
            async with asyncio.timeout(SECONDS):
                body = await _read(scope, receive, limit)
        except TimeoutError:
            await _too_slow().response()(scope, receive, send)
            return
        except ProblemDetails as problem:
            await problem.response()(scope, receive, send)
            return
        if body is None:
            return  # the caller went away
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return given.pop() if given else await receive()

        scope["headers"] = _unpacked(scope["headers"], len(body))
        await self._app(scope, replay, send)


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    packed = headers.get(b"content-encoding", b"identity").strip().lower()
    if packed not in (b"identity", b"", b"gzip"):
        raise ProblemDetails(415, "unsupported_encoding", "expected Content-Encoding gzip or none")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            break
    return _unpack(bytes(body), limit) if packed == b"gzip" else bytes(body)


def _unpack(packed: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        raise ProblemDetails(400, "bad_gzip", "the body says it is gzip and is not") from error
    if len(body) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise ProblemDetails(400, "bad_gzip", "the gzip body ends too early")
    return body


def _unpacked(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """The headers as they read once the body is whole and unpacked."""
    dropped = (b"content-encoding", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name not in dropped]
    return [*kept, (b"content-length", str(length).encode())]


def _too_slow() -> ProblemDetails:
    detail = f"the body must be here within {SECONDS:g} seconds; send it again, or in smaller batches"
    return ProblemDetails(408, "too_slow", detail, headers={"Connection": "close"})


def _too_large(limit: int) -> ProblemDetails:
    return ProblemDetails(
        413, "too_large", f"the body may have at most {limit:,} bytes here; send smaller batches"
    )
