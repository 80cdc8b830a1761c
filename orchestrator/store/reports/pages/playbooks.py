"""The playbooks of an installation as the dashboard and ``doctor`` show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from orchestrator.analytics.funnel import Funnel
from orchestrator.clock import Instants
from orchestrator.records.operations.work import Health
from orchestrator.records.playbook_version import StoredVersion
from orchestrator.store import published
from orchestrator.store.monitoring.read import health
from orchestrator.store.reports.snapshots import current_funnel


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaybookList:
    """The newest version of each. ``paused`` holds the reason of those that let nobody in. ``counted_at``, in machine
    time: when the funnels were not counted for whoever looks."""

    funnels: Sequence[Funnel]
    titles: Mapping[str, str]
    paused: Mapping[str, str]
    health: Health
    counted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaybookPage:
    """One version. ``paused`` is the reason when the playbook lets nobody in; ``counted_at`` as in the list."""

    funnel: Funnel
    versions: Sequence[StoredVersion]
    chosen: StoredVersion
    paused: str | None
    counted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """``playbooks`` are the newest versions: (name, version)."""

    server_version: str
    playbooks: Sequence[tuple[str, int]]
    paused: Mapping[str, str]


def playbook_list(connection: Connection, now: Instants) -> PlaybookList:
    newest = published.newest(connection)
    found = [current_funnel(connection, version.name) for version in newest]
    return PlaybookList(
        funnels=[counted for counted, _ in found],
        counted_at=min((at for _, at in found if at is not None), default=None),
        titles={version.name: str(version.definition.get("title", version.name)) for version in newest},
        paused=published.paused(connection),
        health=health(connection, now),
    )


def playbook_page(connection: Connection, name: str, version: int | None) -> PlaybookPage:
    """Raises NotFound."""
    counted, counted_at = current_funnel(connection, name, version)
    versions = published.versions(connection, name)
    return PlaybookPage(
        funnel=counted,
        counted_at=counted_at,
        versions=versions,
        chosen=next(stored for stored in versions if stored.version == counted.version),
        paused=published.paused(connection).get(name),
    )


def installation(connection: Connection) -> Installation:
    return Installation(
        server_version=connection.exec_driver_sql("SHOW server_version").scalar_one(),
        playbooks=[(one.name, one.version) for one in published.newest(connection)],
        paused=published.paused(connection),
    )
