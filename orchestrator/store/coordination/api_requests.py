"""Requests of the HTTP API by their idempotency key, with the answers that were given. Each verb commits by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from orchestrator.store.coordination.clock import Clock
from orchestrator.store.sql.connections import Database
from orchestrator.store.sql.errors import translated
from orchestrator.store.sql.tables import api_requests

KEPT = timedelta(hours=24)
_UNANSWERED = 0
_UNANSWERED_FOR = timedelta(minutes=1)  # then the process that took it is taken for dead


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownRequest:
    """A request that was claimed before. ``status`` and ``body`` are its answer, None while it is being answered."""

    request_hash: str
    status: int | None
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ApiRequests:
    """One per process. Answers are kept per API key, so that one caller cannot read another's."""

    database: Database
    clock: Clock

    def claim(self, caller: str, key: str, request_hash: str) -> KnownRequest | None:
        """Take a key to act on it; the request that took it in the last 24 hours otherwise.

        A request that its process left unanswered for a minute gives the key free.
        """
        with self._writing() as connection:
            now = self.clock.read(connection).machine
            row = {"request_hash": request_hash, "status": _UNANSWERED, "body": {}, "at": now}
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
        if known is None:  # given free in between: whoever had it may act again
            return KnownRequest(request_hash=request_hash, status=None, body={})
        return KnownRequest(
            request_hash=known.request_hash,
            status=None if known.status == _UNANSWERED else known.status,
            body=known.body,
        )

    def keep(self, caller: str, key: str, *, status: int, body: Mapping[str, Any]) -> None:
        """Keep the answer of a claimed request."""
        plain = json.loads(json.dumps(body, default=str))
        with self._writing() as connection:
            connection.execute(
                update(api_requests).where(*_named(caller, key)).values(status=status, body=plain)
            )

    def forget(self, caller: str, key: str) -> None:
        """Give a claimed key free: the same request may be sent again."""
        with self._writing() as connection:
            connection.execute(delete(api_requests).where(*_named(caller, key)))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(), self.database.begin() as connection:
            yield connection


def _named(caller: str, key: str) -> tuple[Any, ...]:
    return api_requests.c.api_key == caller, api_requests.c.idempotency_key == key
