"""The one way a connection to PostgreSQL is opened: with limits on waiting, in UTC, READ COMMITTED."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.errors import SettingsError

# READ COMMITTED is a law, not a taste: what is decided from must be read by a later statement than the one that took
# the customer's lock, and under REPEATABLE READ that statement would still see the old snapshot.
_ISOLATION = "READ COMMITTED"
_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "15s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "5s",  # what a process that is stopped holds falls then
    "client_min_messages": "warning",
    "jit": "off",  # compiling a statement takes longer than any of ours
}

Database: TypeAlias = Engine
"""A pool of connections to one database: what an :class:`~orchestrator.engine.Engine` holds and the store uses."""

_READ = json.JSONDecoder().raw_decode


class _NoRows(logging.Filter):
    """At DEBUG the driver's library logs every row it reads: addresses and bodies."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


logging.getLogger("sqlalchemy.engine.Engine").addFilter(_NoRows())


def make_engine(
    url: str | URL,
    *,
    application_name: str = "orchestrator",
    pool_size: int = 5,
    max_overflow: int = 10,
    pre_ping: bool = True,
    session: dict[str, str] | None = None,
) -> Engine:
    """An engine over psycopg 3. ``session`` overrides single session settings (a migration may take longer).

    Connections lost while idle are replaced before use; the first statement of a transaction never fails only
    because PostgreSQL was restarted.
    """
    settings = _SESSION | (session or {})
    return create_engine(
        normalize_url(url),
        isolation_level=_ISOLATION,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        pool_pre_ping=pre_ping,
        pool_recycle=1800,
        json_serializer=_to_json,
        json_deserializer=_from_json,
        hide_parameters=True,  # parameters are addresses and bodies; errors and logs show the statement alone
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            # TCP notices a dead peer within half a minute instead of two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
        },
    )


def without_password(url: str) -> str:
    """A database URL as it may be shown."""
    return make_url(url).render_as_string(hide_password=True)


def normalize_url(url: str | URL) -> URL:
    """``postgres://`` and ``postgresql://`` become SQLAlchemy's psycopg 3 form; anything else is refused."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        got = "something that is no URL" if parsed is None else f"{parsed.drivername}://..."
        raise SettingsError(
            [f"the database URL must read postgresql://user:password@host:port/database, got {got}"]
        )
    return parsed.set(drivername="postgresql+psycopg")


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_exact)


def _from_json(text: str | bytes) -> Any:
    """PostgreSQL writes JSON without blanks around it, in UTF-8: the general reader spends half its time on asking."""
    return _READ(text if isinstance(text, str) else str(text, "utf-8"))[0]


def _exact(value: Any) -> str:
    """Decimals are stored as text: JSON numbers would lose digits of money."""
    if isinstance(value, Decimal):
        return str(value)
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)
