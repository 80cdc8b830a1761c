"""Who calls the HTTP API: bearer keys, or the same key as Segment's SDKs send it: as the user name of Basic, or, where
:mod:`orchestrator.web.api.segment_route` reads the call, as ``writeKey`` in its body."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPBearer

from orchestrator.keys import ApiKey, Scope, find_api_key
from orchestrator.web.middleware.throttle import throttle_of
from orchestrator.web.problems import ProblemDetails

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="orchestrator"'}

bearer = HTTPBearer(
    auto_error=False, description="An API key: `Authorization: Bearer KEY`", scheme_name="ApiKey"
)


def bearer_token(request: Request) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def presented_key(request: Request) -> str | None:
    """The secret a caller shows, in the header or else as the body's ``writeKey``; None when there is none to read."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, _ = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return name or None
    written: str | None = getattr(request.state, "write_key", None)
    return written if not scheme else bearer_token(request)


def require(scope: Scope) -> Callable[..., ApiKey]:
    """A dependency that lets through callers whose key has ``scope``: else 401 (no known key), 429 (the same too
    often) or 403."""

    def caller(
        request: Request,
        _bearer: Annotated[object, Security(bearer)] = None,
    ) -> ApiKey:
        keys: Sequence[ApiKey] = request.app.state.api_keys
        secret = presented_key(request)
        key = find_api_key(keys, secret) if secret else None
        if key is None:
            throttle_of(request).failed(request, "keys")
            raise ProblemDetails(
                401,
                "unauthorized",
                "expected a known API key as Authorization: Bearer KEY",
                headers=_CHALLENGE,
            )
        if not key.allows(scope):
            raise ProblemDetails(
                403, "forbidden", f"the key {key.name!r} lacks the scope {scope!r}", needs=scope
            )
        return key

    return caller
