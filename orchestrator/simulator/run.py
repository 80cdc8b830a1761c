"""The event loop: jumps the virtual clock to whatever comes next and lets the real engine do its work there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from orchestrator.simulator.actions import CustomerAction, Reached
from orchestrator.simulator.perform_actions import ActionCounts, do
from orchestrator.simulator.world import World

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SCAN_HOUR = timedelta(hours=5)


class Source(Protocol):
    """Where deeds come from: a crowd, or a recording."""

    def next_at(self) -> datetime | None: ...

    def until(self, instant: datetime) -> list[CustomerAction]: ...

    def reach(self, messages: Iterable[Reached]) -> None: ...


Watch = Callable[[datetime, ActionCounts], None]


def play(
    world: World,
    source: Source,
    *,
    start: datetime,
    end: datetime,
    tick: timedelta,
    watch: Watch | None = None,
) -> ActionCounts:
    """Run from ``start`` to ``end``. The clock stops only at multiples of ``tick``, and only where something is due.

    One drain at a time; deeds of one stop are told in batches, in the order profile, signals, answers, opt-outs.
    """
    tally = ActionCounts()
    scan_at = _next_scan(start - timedelta(seconds=1))
    now = start
    while now <= end:
        world.clock.move_to(now)
        deeds = source.until(now)
        do(world.engine, deeds, tally)
        if now >= scan_at:
            while world.engine.scan():
                _settle(world, source, tally)
            scan_at = _next_scan(now)
        _settle(world, source, tally)
        tally.stops += 1
        if watch:
            watch(now, tally)
        upcoming = (source.next_at(), world.engine.next_due(), scan_at)
        now = _on_grid(min(instant for instant in upcoming if instant is not None), now, tick)
    world.clock.move_to(end)
    return tally


def _settle(world: World, source: Source, tally: ActionCounts) -> None:
    """Drain until nothing is due at this instant, and let people hear what was said to them."""
    while True:
        drained = world.engine.drain()
        reached = world.reached()
        tally.messages += len(reached)
        source.reach(reached)
        if not drained.more:
            return


def _next_scan(after: datetime) -> datetime:
    at = _EPOCH + ((after - _EPOCH) // _DAY) * _DAY + _SCAN_HOUR
    return at if at > after else at + _DAY


def _on_grid(instant: datetime, after: datetime, tick: timedelta) -> datetime:
    """The first grid point not before ``instant``, and always later than ``after``."""
    steps = -((_EPOCH - max(instant, after + timedelta(microseconds=1))) // tick)
    return _EPOCH + steps * tick
