"""What the figures mean: each thing that is looked at, whether it is well, and the fault by its name if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from orchestrator.records.operations.faults import Finding
from orchestrator.records.operations.work import LATE, Health
from orchestrator.records.restore import RestoreState
from orchestrator.store.monitoring.server import ServerFacts

UNCERTAIN = 100  # messages whose fate is unknown: a few are ordinary, more mean that callbacks do not arrive
_SOME_WAIT = timedelta(seconds=10)


def work_findings(health: Health, *, production: bool) -> Iterator[Finding]:
    """What the figures about the work say."""
    yield _workers(health, production=production)
    yield from _claiming(health)
    yield from _lanes(health)
    yield from _providers(health)
    yield from _messages(health)
    parked = sum(health.parked.values())
    yield Finding(
        about="parked",
        ok=not parked,
        fault="parked",
        words=", ".join(f"{reason}: {number}" for reason, number in health.parked.items()) or "nobody",
    )
    rehearsal = health.clock_rate != 1
    yield Finding(
        about="clock rate",
        ok=not (rehearsal and production),
        fault="clock",
        words=f"{health.clock_rate:g}" + (": a rehearsal" if rehearsal else ""),
    )
    yield Finding(about="in progress", ok=None, words=f"{health.live:,} enrollments{_bound(health)}")


def server_findings(facts: ServerFacts) -> Iterator[Finding]:
    """What PostgreSQL says of itself."""
    yield Finding(
        about="connections",
        ok=facts.connections < 0.85 * facts.connection_limit,
        fault="database-limits",
        words=f"{facts.connections} of {facts.connection_limit}",
    )
    yield Finding(
        about="statistics",
        ok=not facts.without_statistics and facts.autovacuum,
        fault="statistics-missing",
        words="autovacuum is off"
        if not facts.autovacuum
        else ", ".join(facts.without_statistics) or "every table has them",
    )
    others = [
        f"{one.who} (process {one.pid}): {one.seconds:.0f} s, {one.what}" for one in facts.long_transactions
    ]
    yield Finding(
        about="transactions",
        ok=not others,
        fault="long-transactions",
        words="; ".join(others) or "none runs long or holds others up",
    )
    yield Finding(
        about="clock",
        ok=abs(facts.clock_ahead) < 2,
        fault="clock",
        words=f"the database's is {facts.clock_ahead:+.1f} s from this machine's",
    )


def backup_findings(restore: RestoreState | None, unlogged: int) -> Iterator[Finding]:
    """Whether this database was put back, and whether withdrawals wait for the log outside of it."""
    if unlogged:
        yield Finding(
            about="withdrawal log",
            ok=False,
            fault="withdrawal-log",
            words=f"{unlogged:,} withdrawals wait to be written to it",
        )
    problem = restored_problem(restore)
    if problem is not None:
        yield Finding(about="restored backup", ok=False, fault="restored-backup", words=problem)
    elif restore is not None and restore.accepted_by is not None:
        words = f"{restore.accepted_by} accepted that withdrawals before {restore.until:%Y-%m-%d %H:%M} may be missing"
        yield Finding(about="restored backup", ok=None, words=words)


def restored_problem(restore: RestoreState | None) -> str | None:
    """What is still to be done about a database that was put back, if anything is."""
    if restore is None or not (restore.finished_at is None or restore.promotion_held):
        return None
    what = (
        "nothing moves"
        if restore.finished_at is None
        else "promotion is held, for withdrawals may be missing"
    )
    return f"restored from a backup: {what}; run: orchestrator restored"


def _workers(health: Health, *, production: bool) -> Finding:
    working = health.workers
    late = health.lag > _SOME_WAIT
    silent = working and all(one.broker_silent for one in working)
    if not working:
        return Finding(
            about="workers",
            ok=False if production or late else None,
            fault="nobody-works",
            words="none was heard of in the last 30 s",
        )
    versions = sorted({one.version for one in working})
    return Finding(
        about="workers",
        ok=not silent,
        fault="broker-silent",
        words=f"{len(working)} of version {', '.join(versions)}"
        + ("; none hears the broker, all sweep by themselves" if silent else ""),
    )


def _claiming(health: Health) -> Iterator[Finding]:
    for process in health.workers:
        if process.claiming_stopped:
            yield Finding(
                about="claiming",
                ok=False,
                fault="claiming-stopped",
                words=f"{process.process} takes nobody: {process.claiming_stopped}",
            )


def _lanes(health: Health) -> Iterator[Finding]:
    for lane in health.lanes:
        yield Finding(
            about=lane.name,
            ok=lane.lag < LATE or lane.lane == "background",
            fault="lane-behind",
            words=f"{lane.due:,} due, the oldest for {lane.lag.total_seconds():.0f} s",
        )


def _providers(health: Health) -> Iterator[Finding]:
    for provider in health.open_breakers:
        yield Finding(
            about=f"breaker of {provider}",
            ok=False,
            fault="breaker-open",
            words="open: it failed again and again",
        )
    for provider in sorted({name for one in health.workers for name in one.rates_used_up}):
        late = any(lane.provider == provider and lane.lag > LATE for lane in health.lanes)
        yield Finding(
            about=f"rate of {provider}",
            ok=False if late else None,
            fault="rate-used-up",
            words="no token is left" + (", and its messages are late" if late else ""),
        )


def _messages(health: Health) -> Iterator[Finding]:
    held = ", ".join(f"{policy}: {number:,}" for policy, number in health.held.items())
    yield Finding(
        about="planned",
        ok=None,
        words=f"{health.planned:,} messages{_bound(health)}" + (f"; held back by {held}" if held else ""),
    )
    yield Finding(
        about="uncertain",
        ok=health.uncertain < UNCERTAIN,
        fault="uncertain-messages",
        words=f"{health.uncertain:,} messages whose fate is not known yet",
    )
    yield Finding(
        about="hand-overs",
        ok=not health.lapsed or bool(health.workers),  # workers make them uncertain within seconds
        fault="uncertain-messages",
        words=f"{health.handing_over:,} under way, {health.lapsed:,} begun by a process that is gone",
    )
    waiting = sum(one.results_waiting for one in health.workers)
    yield Finding(
        about="results",
        ok=waiting < 1000,
        fault="results-waiting",
        words=f"{waiting:,} answers of providers wait to be filed",
    )


def _bound(health: Health) -> str:
    return ", or more: the first count is not over" if health.at_least else ""
