"""``Idempotency-Key``: the same key and request gets the same answer again, for 24 hours, without acting again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse

from orchestrator.engine import Engine
from orchestrator.web.problems import MEDIA_TYPE, ProblemDetails, problem_of

_LONGEST_KEY = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredResponse:
    status: int
    body: Mapping[str, Any]

    def response(self, **headers: str) -> JSONResponse:
        media_type = MEDIA_TYPE if self.status >= 400 else "application/json"
        return JSONResponse(self.body, self.status, headers=headers, media_type=media_type)


@dataclass(frozen=True, kw_only=True, slots=True)
class Idempotency:
    """What handlers act through. Answers are kept per API key, so one caller cannot read another's."""

    engine: Engine

    def once(
        self, *, caller: str, key: str | None, request: object, act: Callable[[], StoredResponse]
    ) -> JSONResponse:
        """Run ``act`` and keep its answer; with a key seen before, give the kept answer.

        ``request`` is what the key stands for (JSON); the key with another request is refused (422), a key whose
        first request is still running too (409). Answers of 500 and above are not kept.
        """
        if key is None:
            return _acted(act).response()
        if not 0 < len(key) <= _LONGEST_KEY or "\x00" in key:
            raise ProblemDetails(
                400, "bad_idempotency_key", f"Idempotency-Key: expected 1 to {_LONGEST_KEY} characters"
            )
        digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
        kept = self._claim(caller, key, digest)
        if kept is not None:
            return kept.response(**{"Idempotency-Replayed": "true"})
        try:
            answer = _acted(act)
        except BaseException:
            self.engine.api_requests.forget(caller, key)
            raise
        if answer.status >= 500:
            self.engine.api_requests.forget(caller, key)
        else:
            self.engine.api_requests.keep(caller, key, status=answer.status, body=answer.body)
        return answer.response()

    def _claim(self, caller: str, key: str, digest: str) -> StoredResponse | None:
        """None: ours to act on. An answer: the kept one."""
        known = self.engine.api_requests.claim(caller, key, digest)
        if known is None:
            return None
        if known.request_hash != digest:
            raise ProblemDetails(
                422,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request; make a new one",
            )
        if known.status is None:
            raise ProblemDetails(
                409,
                "in_progress",
                "the first request with this Idempotency-Key is still running; ask again in a moment",
                headers={"Retry-After": "1"},
            )
        return StoredResponse(status=known.status, body=known.body)


def _acted(act: Callable[[], StoredResponse]) -> StoredResponse:
    """Refusals are answers too, and are kept; only failures of ours are not."""
    try:
        return act()
    except Exception as error:
        problem = problem_of(error)
        if problem.status >= 500:
            raise
        return StoredResponse(status=problem.status, body=problem.body())
