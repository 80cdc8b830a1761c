"""Errors as RFC 9457 problem details: one shape for every refusal of the HTTP API, all bad fields at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from orchestrator.errors import (
    BadToken,
    Conflict,
    ErasureIncomplete,
    InputError,
    NotFound,
    OrchestratorError,
    StartRefused,
    Unavailable,
)
from orchestrator.web import pages

MEDIA_TYPE = "application/problem+json"
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_INPUT = ("body", "query", "path", "header", "cookie")


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldProblem:
    """One bad field: its JSON path and what is wrong with it."""

    path: str
    problem: str


class ProblemDetails(Exception):
    """An HTTP refusal. ``word`` is stable and for programs, ``detail`` is for people."""

    def __init__(
        self,
        status: int,
        word: str,
        detail: str,
        *,
        errors: Iterable[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status = status
        self.word = word
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = more
        super().__init__(f"{status} {word}: {detail}")

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:orchestrator:problem:{self.word}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.errors:
            body["errors"] = [{"path": error.path, "problem": error.problem} for error in self.errors]
        return body

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, headers=self.headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> ProblemDetails:
    """The HTTP face of an error of ours; what is not ours is 500 and tells nothing."""
    match error:
        case ProblemDetails():
            return error
        case NotFound():
            return ProblemDetails(404, "not_found", f"there is no {error.what} with the key {error.key!r}")
        case InputError():
            return ProblemDetails(
                422,
                "invalid",
                "one field is wrong",
                errors=[FieldProblem(path=error.path, problem=error.message)],
            )
        case StartRefused():
            return ProblemDetails(409, "start_refused", error.detail, reason=error.reason)
        case Conflict():
            return ProblemDetails(409, "conflict", str(error))
        case BadToken():
            return ProblemDetails(401, "bad_token", str(error), headers={"WWW-Authenticate": "Bearer"})
        case ErasureIncomplete():
            return ProblemDetails(503, "erasure_incomplete", str(error), headers={"Retry-After": "60"})
        case Unavailable():
            return ProblemDetails(
                503,
                "unavailable",
                "the database cannot be reached or is too busy; send the same request again",
                headers={"Retry-After": "2"},
            )
        case OrchestratorError() | _:
            return ProblemDetails(
                500, "internal", "this request failed; its id is in the X-Request-Id header"
            )


def json_path(place: Iterable[str | int], root: str = "$") -> str:
    """``("body", "batch", 3, "user id")`` is ``$.batch[3]['user id']``."""
    path = root
    for part in place:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN_NAME.fullmatch(part):
            path += f".{part}"
        else:
            escaped = part.replace("\\", "\\\\").replace("'", "\\'")
            path += f"['{escaped}']"
    return path


def in_words(error: Mapping[str, Any]) -> str:
    """What pydantic found, without the value: that may be personal."""
    if error["type"] == "extra_forbidden":
        return "no such field; remove it or correct its name"
    if error["type"] == "missing":
        return "this field is needed"
    if error["type"] == "json_invalid":
        return f"not JSON: {error.get('ctx', {}).get('error', 'it cannot be read')}"
    return str(error["msg"]).removeprefix("Value error, ")


def field_problem(error: Mapping[str, Any]) -> FieldProblem:
    """One error of FastAPI's validation. Errors outside the body name where they are: ``query.limit``."""
    where, *rest = error["loc"]
    if error["type"] == "json_invalid":
        rest = []  # the place is an offset into text, not a path
    root = "$" if where == "body" or where not in _NO_INPUT else str(where)
    return FieldProblem(path=json_path(rest, root), problem=in_words(error))


def answer_to(request: Request, problem: ProblemDetails) -> Response:
    """A document for programs; for people on a customer page a page that says nothing was changed."""
    if pages.is_customer_page(request.url.path):
        return pages.notice(request, "busy", status=problem.status, headers=problem.headers)
    if pages.is_dashboard_page(request):
        return pages.page(
            "dashboard/error.html",
            status=problem.status,
            headers=problem.headers,
            title=problem.body()["title"],
            text=problem.detail,
        )
    return problem.response()


def install(app: FastAPI) -> None:
    """Every error that leaves a handler becomes a problem document."""

    def ours(request: Request, error: Exception) -> Response:
        return answer_to(request, problem_of(error))

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
        errors = [field_problem(part) for part in error.errors()]
        count = "one field is wrong" if len(errors) == 1 else f"{len(errors)} fields are wrong"
        return answer_to(request, ProblemDetails(422, "invalid", count, errors=errors))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        phrase = HTTPStatus(error.status_code).phrase
        word = phrase.lower().replace(" ", "_").replace("-", "_")
        problem = ProblemDetails(error.status_code, word, str(error.detail or phrase), headers=error.headers)
        return answer_to(request, problem)

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    for kind in (ProblemDetails, OrchestratorError):
        app.add_exception_handler(kind, ours)
