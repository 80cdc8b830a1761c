"""Opens what a command works on: the settings, the database, the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from orchestrator import telemetry
from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.errors import StoreError
from orchestrator.settings import Settings
from orchestrator.settings import load_settings as read_settings
from orchestrator.store import migrate
from orchestrator.store.reports import reader
from orchestrator.store.reports.reader import Reports
from orchestrator.store.sql.connections import without_password

if TYPE_CHECKING:
    from orchestrator.engine import Engine

__all__ = ["database_url", "embedded", "load_settings", "open_engine", "open_reports", "ready"]


def load_settings() -> Settings:
    """The settings, and logs set up: a command that ends by itself logs from warnings on, unless told otherwise."""
    settings = read_settings()
    level = "warning" if settings.log_level == "info" else settings.log_level
    telemetry.configure(format=settings.log_format, level=level)
    return settings


def database_url(settings: Settings) -> str:
    """The database of the settings; without one the embedded server, started when it does not run yet."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return embedded(settings).start()


def embedded(settings: Settings) -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.data_dir)


def ready(settings: Settings) -> Settings:
    """Settings whose database is there and has a schema this software works on: its own, or a newer one that says so.

    The embedded database is moved to it; somebody else's is not touched: its owner decides when it changes.
    """
    url = database_url(settings)
    if settings.database_url is None:
        migrate.upgrade(url)
    elif (problem := migrate.problem_at(url)) is not None:
        raise StoreError(f"{without_password(url)}: {problem}")
    return settings.model_copy(update={"database_url": SecretStr(url), "secret_keys": _keys(settings)})


@contextmanager
def open_reports(settings: Settings | None = None) -> Iterator[Reports]:
    """What people may read of the database, without loading an engine."""
    url = database_url(ready(settings or load_settings()))
    with reader.open_reports(url, application_name="orchestrator-cli") as reports:
        yield reports


def open_engine(settings: Settings | None = None) -> Engine:
    """The engine of the settings, over a database that is ready."""
    from orchestrator.bootstrap import build_engine  # noqa: PLC0415 - the providers' libraries take a second to load

    return build_engine(ready(settings or load_settings()))


def _keys(settings: Settings) -> tuple[SecretStr, ...]:
    """Signing keys by value: a database URL in the settings must not change where they come from."""
    return tuple(SecretStr(key) for key in settings.signing_keys())
