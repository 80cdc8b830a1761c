"""How the work stands: what waits in each lane, which processes are there, and how each is doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

LANES = ("answers", "signals", "timers", "messages", "settle", "background")
"""Answers and starts of people; what the product tells as it happens; timers; each provider's messages, and those of
them whose fate is to be settled; scans, imports and back-fills."""

BY_PROVIDER = ("messages", "settle")

LATE = timedelta(seconds=60)
"""How long a due thing may wait, in machine time, before somebody should look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneState:
    """``lag``: machine time since the oldest due thing became due, zero when nothing is; ``due``: how many are, counted
    to 10,000. ``provider`` is empty but in the lanes of messages."""

    lane: str
    provider: str = ""
    lag: timedelta = timedelta(0)
    due: int = 0

    @property
    def name(self) -> str:
        return f"{self.lane} of {self.provider}" if self.provider else self.lane


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessState:
    """What a process said of itself when it was heard of last; spans are machine time until now."""

    process: str
    role: str  # web, worker
    version: str
    heard: timedelta
    last_batch: timedelta | None  # None: it has not finished one yet
    works: bool  # moves work, and does not only serve pages
    claiming_stopped: str | None = None  # why it takes no work
    breakers: Sequence[str] = ()  # providers whose breaker is open
    rates_used_up: Sequence[str] = ()  # providers of which no token is left
    broker_silent: bool = False
    results_waiting: int = 0  # answers of providers that are not filed yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How the work stands. ``age``: since it was counted; zero when it was counted for whoever asks.

    Large tables are counted a stretch at a time, so their figures may be some minutes old. ``at_least`` names those
    that are no more than a lower bound, because their first count is not over.
    """

    age: timedelta
    lanes: Sequence[LaneState]
    live: int  # enrollments in progress
    planned: int
    handing_over: int
    uncertain: int  # messages whose fate is not known yet
    lapsed: int  # being handed over by a process that did not report within its lease
    held: Mapping[str, int]  # policy -> planned messages it deferred last
    parked: Mapping[str, int]  # reason -> enrollments and customers
    clock_rate: float
    processes: Sequence[ProcessState] = ()
    at_least: Sequence[str] = ()

    @property
    def lag(self) -> timedelta:
        """The one number to watch: of the lane that is furthest behind. Background may wait, so it is left out."""
        return max((one.lag for one in self.lanes if one.lane != "background"), default=timedelta(0))

    @property
    def workers(self) -> list[ProcessState]:
        """The processes that move work."""
        return [one for one in self.processes if one.works]

    @property
    def last_batch(self) -> timedelta | None:
        """Since any process finished a batch in which there was somebody; None when none is known to have."""
        return min((one.last_batch for one in self.workers if one.last_batch is not None), default=None)

    @property
    def open_breakers(self) -> list[str]:
        return sorted({provider for one in self.workers for provider in one.breakers})


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessReport:
    """What a process tells of itself. ``last_batch``: seconds since it finished one."""

    process: str
    role: str
    version: str
    last_batch: float | None
    state: Mapping[str, Any]
    counted: Mapping[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    """By (sample, labels): how much was counted since the last report."""
