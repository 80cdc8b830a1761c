"""What PostgreSQL says of itself: connections, statistics, transactions that hold others up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from orchestrator.clock import system_now

HOT = ("customers", "timers", "dispatch", "inbox", "enrollments", "messages", "verdicts", "cap_slots")
_WORTH_STATISTICS = 1_000_000  # bytes of a table

_LIMITS = text("""
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               AS connection_limit,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
           current_setting('autovacuum')::bool AS autovacuum, clock_timestamp() AS now""")
_WITHOUT_STATISTICS = text("""
    SELECT c.relname FROM pg_class AS c
    WHERE c.oid = ANY(SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name)
      AND pg_relation_size(c.oid) > :bytes
      AND (c.reltuples < 0 OR pg_relation_size(c.oid) > 20 * greatest(c.relpages, 1)
           * current_setting('block_size')::bigint)
    ORDER BY c.relname""")
# Whoever is in a transaction for long, or makes somebody wait for five seconds.
_LONG = text("""
    SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename) AS who, a.state AS what,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
      AND (a.xact_start < clock_timestamp() - make_interval(secs => :old) OR a.pid = ANY(
          SELECT unnest(pg_blocking_pids(w.pid)) FROM pg_stat_activity AS w
          WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
            AND w.query_start < clock_timestamp() - interval '5 seconds'))
    ORDER BY a.xact_start LIMIT 10""")


@dataclass(frozen=True, kw_only=True, slots=True)
class LongTransaction:
    """A transaction that runs long or makes others wait: since ``seconds``, now doing ``what``."""

    pid: int
    who: str
    what: str
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """``without_statistics``: large tables that were never analysed, or when they were a twentieth of their size.
    ``clock_ahead``: seconds by which the server's clock is ahead of this machine's."""

    connections: int
    connection_limit: int
    autovacuum: bool
    without_statistics: Sequence[str]
    long_transactions: Sequence[LongTransaction]
    clock_ahead: float


def server_facts(connection: Connection, *, old: float = 60.0) -> ServerFacts:
    """Three statements over PostgreSQL's own views. ``old``: seconds after which a transaction runs long."""
    before = system_now()
    limits = connection.execute(_LIMITS).one()
    middle = before + (system_now() - before) / 2
    without = connection.execute(_WITHOUT_STATISTICS, {"tables": list(HOT), "bytes": _WORTH_STATISTICS})
    return ServerFacts(
        connections=limits.connections,
        connection_limit=limits.connection_limit,
        autovacuum=limits.autovacuum,
        without_statistics=[row.relname for row in without],
        long_transactions=[
            LongTransaction(
                pid=row.pid, who=row.who or "somebody", what=row.what or "unknown", seconds=row.seconds or 0.0
            )
            for row in connection.execute(_LONG, {"old": old})
        ],
        clock_ahead=(limits.now - middle).total_seconds(),
    )
