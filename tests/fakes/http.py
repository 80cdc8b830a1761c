"""Requests and replies of the fake providers, apart from sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(kw_only=True)
class Request:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body or b"null")
        except ValueError:
            return None


@dataclass(kw_only=True)
class Reply:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, (bytes, str)):
            return self.body if isinstance(self.body, bytes) else self.body.encode()
        return json.dumps(self.body).encode()

    def content_type(self) -> str:
        return "text/html" if isinstance(self.body, (bytes, str)) else "application/json"


@dataclass(kw_only=True)
class Described:
    """What a request asks, in the ledger's words."""

    operation: str
    to: str | None = None
    message_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
