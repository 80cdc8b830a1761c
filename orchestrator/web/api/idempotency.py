"""``Idempotency-Key``: the same key and request gets the same answer again, for 24 hours, without acting again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi.responses import JSONResponse
from sqlalchemy import Engine, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from orchestrator.clock import Clock
from orchestrator.store.sql.tables import api_requests
from orchestrator.web.problems import MEDIA_TYPE, ProblemDetails, problem_of

KEPT = timedelta(hours=24)
_UNANSWERED = 0
_UNANSWERED_FOR = timedelta(minutes=1)  # then the process that took it is taken for dead
_LONGEST_KEY = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredResponse:
    status: int
    body: dict[str, Any]

    def response(self, **headers: str) -> JSONResponse:
        media_type = MEDIA_TYPE if self.status >= 400 else "application/json"
        return JSONResponse(self.body, self.status, headers=headers, media_type=media_type)


@dataclass(frozen=True, kw_only=True, slots=True)
class Idempotency:
    """Answers are kept per API key, so one caller cannot read another's."""

    engine: Engine
    clock: Clock

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
            self._forget(caller, key)
            raise
        if answer.status >= 500:
            self._forget(caller, key)
        else:
            self._keep(caller, key, answer)
        return answer.response()

    def _claim(self, caller: str, key: str, digest: str) -> StoredResponse | None:
        """None: ours to act on. An answer: the kept one."""
        with self.engine.begin() as connection:
            now = self.clock.read(connection).machine
            row = {"request_hash": digest, "status": _UNANSWERED, "body": {}, "at": now}
            stale = or_(
                api_requests.c.at < now - KEPT,
                (api_requests.c.status == _UNANSWERED) & (api_requests.c.at < now - _UNANSWERED_FOR),
            )
            statement = (
                insert(api_requests)
                .values(api_key=caller, idempotency_key=key, **row)
                .on_conflict_do_update(index_elements=["api_key", "idempotency_key"], set_=row, where=stale)
                .returning(api_requests.c.at)
            )
            if connection.execute(statement).first() is not None:
                return None
            known = connection.execute(select(api_requests).where(*_named(caller, key))).first()
        if known is None or (known.request_hash == digest and known.status == _UNANSWERED):
            raise ProblemDetails(
                409,
                "in_progress",
                "the first request with this Idempotency-Key is still running; ask again in a moment",
                headers={"Retry-After": "1"},
            )
        if known.request_hash != digest:
            raise ProblemDetails(
                422,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request; make a new one",
            )
        return StoredResponse(status=known.status, body=known.body)

    def _keep(self, caller: str, key: str, answer: StoredResponse) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(api_requests)
                .where(*_named(caller, key))
                .values(status=answer.status, body=json.loads(json.dumps(answer.body, default=str)))
            )

    def _forget(self, caller: str, key: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(api_requests).where(*_named(caller, key)))


def _named(caller: str, key: str) -> tuple[Any, ...]:
    return api_requests.c.api_key == caller, api_requests.c.idempotency_key == key


def _acted(act: Callable[[], StoredResponse]) -> StoredResponse:
    """Refusals are answers too, and are kept; only failures of ours are not."""
    try:
        return act()
    except Exception as error:
        problem = problem_of(error)
        if problem.status >= 500:
            raise
        return StoredResponse(status=problem.status, body=problem.body())
