"""Circuit breakers: whether a provider may be called now. Closed, open for a while, then half-open: one probe decides.

Here are the states and what leads from one to the next, without a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

INSTANT = 1e-6  # seconds: what counts as the same instant


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerRules:
    """When a breaker opens and for how long, in seconds of machine time."""

    failures: int = 5  # more than good answers
    probation: int = (
        2  # of the first calls after it closed: so many more failures than good answers open it again
    )
    open_for: float = 30.0  # doubled each time it opens again before it was well
    longest: float = 300.0
    longest_asked: float = 3600.0  # a pause that the provider asked for may be longer
    probe: float = 20.0  # a probe whose caller said nothing for so long is over: no call lasts longer


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerState:
    """One provider's breaker. Instants are of the clock of whoever keeps it."""

    failures: int = 0
    """How many more calls failed than were answered lately."""
    opened: int = 0
    """How often it opened since all was well."""
    is_open: bool = False
    """Open, or half-open once its time is over."""
    until: float = 0.0
    """Nobody may call before this."""
    probe_until: float = 0.0
    """A probe is on the wire, until then at most."""

    def closed_to_all(self, now: float) -> bool:
        """Open, or half-open with its probe on the wire."""
        return self.is_open and now < max(self.until, self.probe_until) - INSTANT

    def waits(self, now: float) -> bool:
        """Its time is not over: what was on the wire when it opened may still be answered."""
        return self.is_open and now < self.until - INSTANT

    def moved(self, seconds: float) -> BreakerState:
        """The same by a clock that is ``seconds`` ahead."""
        if not self.is_open:
            return self
        return replace(self, until=self.until + seconds, probe_until=self.probe_until + seconds)


CLOSED = BreakerState()
Change = Callable[[BreakerState, float], BreakerState]
"""From a state and the instant, by the same clock, to the next state. It may be repeated and does nothing else."""


def failed(
    state: BreakerState, now: float, *, retry_after: float | None, rules: BreakerRules
) -> BreakerState:
    """After a call that failed; what was on the wire when the breaker opened changes nothing more."""
    asked = min(retry_after or 0.0, rules.longest_asked)
    if state.waits(now):
        return replace(state, until=max(state.until, now + asked))
    failures = state.failures + 1
    if not (asked or state.is_open or failures >= rules.failures):
        return replace(state, failures=failures)
    return BreakerState(
        failures=failures,
        opened=min(state.opened + 1, 16),
        is_open=True,
        until=now + (asked or min(rules.longest, rules.open_for * 2**state.opened)),
    )


def answered(state: BreakerState, now: float, *, rules: BreakerRules) -> BreakerState:
    """After a call that was answered. While the breaker is open only its probe may close it, on probation at first."""
    if state.waits(now):
        return state
    if state.is_open:
        return BreakerState(failures=max(0, rules.failures - rules.probation), opened=state.opened)
    return replace(state, failures=state.failures - 1) if state.failures > 1 else CLOSED


def probed(state: BreakerState, now: float, *, rules: BreakerRules) -> BreakerState:
    """With the probe taken, if it was to be had."""
    if not state.is_open or state.closed_to_all(now):
        return state
    return replace(state, probe_until=now + rules.probe)


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A state before and after a change, and the instant of it, all by the clock of whoever keeps it."""

    before: BreakerState
    after: BreakerState
    at: float


class SharedStates(Protocol):
    """States that several processes see. Raises whatever its library raises."""

    def change(self, provider: str, change: Change) -> Changed: ...
    def read(self, providers: Sequence[str]) -> tuple[Mapping[str, BreakerState], float]:
        """The states of those providers that have one, and the instant."""
        ...
