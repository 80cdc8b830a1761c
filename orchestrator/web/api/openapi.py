"""How the product API reads in its OpenAPI document: examples, parameters and the refusals every call may get."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path

from orchestrator.web.api.shapes import ProblemView

Responses = dict[int | str, dict[str, Any]]

CustomerKey = Annotated[str, Path(max_length=255, description="The product's own key", examples=["anna"])]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="The same key and request gets the same answer for 24 h"),
]

PROBLEM: dict[str, Any] = {"model": ProblemView}
LIMITED: dict[str, Any] = PROBLEM | {"description": "Too often; `Retry-After` says when to come again"}
ALWAYS: Responses = {
    401: PROBLEM | {"description": "No known API key"},
    403: PROBLEM | {"description": "The key lacks the scope"},
    408: PROBLEM | {"description": "The body did not come in time"},
    413: PROBLEM | {"description": "The body is too large"},
    422: PROBLEM | {"description": "Bad fields, all of them, each with its JSON path"},
    429: LIMITED,
    503: PROBLEM | {"description": "Busy; send the same request again"},
}
MISSING: Responses = {404: PROBLEM | {"description": "No such thing"}}
REFUSED: Responses = {
    409: PROBLEM | {"description": "Refused; `reason` is the stable word, `detail` says why"}
}

IDENTIFY = {"userId": "anna", "messageId": "m-1", "traits": {"email": "anna@example.com", "plan": "team"}}
TRACK = {
    "userId": "anna",
    "messageId": "m-2",
    "event": "usage_reported",
    "properties": {"seats_used": 9, "seats": 10},
    "timestamp": "2026-03-02T09:30:00Z",
    "context": {"timezone": "Europe/Berlin"},
}
GROUP = {"userId": "anna", "groupId": "acme", "traits": {"renews_at": "2026-09-01", "seats": 10}}
