"""Reports over a large base: made in the background now and then, so that looking at a page costs the same however
many customers there are. A small base is counted for whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter
from sqlalchemy import Connection, text

from orchestrator.analytics.funnel import Funnel
from orchestrator.clock import Instants, monotonic
from orchestrator.store.reports.funnel import funnel
from orchestrator.store.reports.pages.held_back import HeldBackPage, held_back

LARGE = 8 * 1024 * 1024  # bytes of the tables that reports read: below, they take some tens of milliseconds
SPANS = (1, 7, 30, 90)  # days, for which what was held back is kept
EVERY = timedelta(minutes=4)  # machine time; seldomer where it takes long
_REST = 50  # times what making it took: reports take a fiftieth of the database at most
_LOCK = 0x6F72_6368_7265_7073  # "orchreps"

_SIZE = text("""
    SELECT pg_relation_size('enrollments') + pg_relation_size('journal') + pg_relation_size('messages')
         + pg_relation_size('verdicts')""")
_PATIENTLY = text("SET LOCAL statement_timeout = '30s'")
_LOCKED = text("SELECT pg_try_advisory_xact_lock(:lock)")
_NEWEST = text("SELECT name, max(version) AS version FROM playbooks GROUP BY name ORDER BY name")
_KEPT = text("SELECT body, made_at FROM report_snapshots WHERE name = :name")
_AGES = text("SELECT name, made_at, seconds FROM report_snapshots")
_KEEP = text("""
    INSERT INTO report_snapshots (name, made_at, seconds, body)
    VALUES (:name, :made_at, :seconds, CAST(:body AS jsonb))
    ON CONFLICT (name) DO UPDATE SET made_at = excluded.made_at, seconds = excluded.seconds, body = excluded.body""")
_LET_GO = text("DELETE FROM report_snapshots WHERE name <> ALL(:names)")

Report = TypeVar("Report")


def is_large(connection: Connection) -> bool:
    """Whether the base is too large to be counted while somebody waits."""
    return bool(connection.execute(_SIZE).scalar_one() > LARGE)


def kept(connection: Connection, name: str, kind: type[Report]) -> tuple[Report, datetime] | None:
    """A report that was made lately, and when, in machine time."""
    row = connection.execute(_KEPT, {"name": name}).first()
    made: TypeAdapter[Report] = _adapter(cast("Any", kind))
    return None if row is None else (made.validate_python(row.body), row.made_at)


def current_funnel(
    connection: Connection, playbook: str, version: int | None = None
) -> tuple[Funnel, datetime | None]:
    """The funnel of one version, the newest unless told, and when it was made, if not for whoever asks.

    Of a large base the newest version's is kept; older ones are counted when asked. Raises NotFound.
    """
    if is_large(connection):
        newest = {row.name: row.version for row in connection.execute(_NEWEST)}.get(playbook)
        if newest is not None and version in (None, newest):
            found = kept(connection, funnel_name(playbook, newest), Funnel)
            if found is not None:
                return found
    return funnel(connection, playbook, version), None


def current_held_back(
    connection: Connection, business: datetime, days: int, policy: str | None
) -> HeldBackPage:
    """What was held back in the last days; of a large base the next longer span that is kept."""
    if is_large(connection):
        span = next((span for span in SPANS if span >= days), SPANS[-1])
        found = kept(connection, held_back_name(span), HeldBackPage)
        if found is not None:
            return replace(found[0], counted_at=found[1]).of(policy)
    return held_back(connection, business - timedelta(days=days), policy=policy)


def funnel_name(playbook: str, version: int) -> str:
    return f"funnel/{playbook}/{version}"


def held_back_name(days: int) -> str:
    return f"held_back/{days}"


def due(connection: Connection, now: Instants) -> list[str]:
    """The names of the reports whose turn it is; none over a small base, and none while somebody makes some."""
    if not is_large(connection):
        return []
    made = {row.name: (row.made_at, row.seconds) for row in connection.execute(_AGES)}

    def rested(name: str) -> bool:
        at, seconds = made.get(name, (None, 0.0))
        return at is None or now.machine - at >= max(EVERY, timedelta(seconds=_REST * seconds))

    return [name for name in _all(connection, now) if rested(name)]


def make(connection: Connection, name: str, now: Instants) -> bool:
    """Make one report and keep it. False when it is gone, or somebody makes one now."""
    all_of_them = _all(connection, now)
    report_of = all_of_them.get(name)
    if report_of is None or not connection.execute(_LOCKED, {"lock": _LOCK}).scalar_one():
        return False
    connection.execute(_PATIENTLY)
    began = monotonic()
    report: Any = report_of()
    values: dict[str, Any] = {"name": name, "made_at": now.machine}
    values |= {
        "seconds": monotonic() - began,
        "body": _adapter(cast("Any", type(report))).dump_json(report).decode(),
    }
    connection.execute(_KEEP, values)
    connection.execute(_LET_GO, {"names": list(all_of_them)})  # a version that is no longer the newest
    return True


def _all(connection: Connection, now: Instants) -> dict[str, Callable[[], Any]]:
    made: dict[str, Callable[[], Any]] = {}
    for row in connection.execute(_NEWEST).all():
        made[funnel_name(row.name, row.version)] = _funnel(connection, row.name, row.version)
    for days in SPANS:
        made[held_back_name(days)] = _held_back(connection, now.business - timedelta(days=days))
    return made


def _funnel(connection: Connection, name: str, version: int) -> Callable[[], Funnel]:
    return lambda: funnel(connection, name, version)


def _held_back(connection: Connection, since: datetime) -> Callable[[], HeldBackPage]:
    return lambda: held_back(connection, since, policy=None, each=True)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
