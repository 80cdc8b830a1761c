"""Provider gates: which providers may be given messages now, and how many. They gate the claim and are no policy of a
message.

A provider that fails again and again is left alone for a while (its circuit breaker is open): its messages stay
planned, use no attempt, and the other channels go on. Time-outs and 5xx count, a refused message does not. The breaker
gates the claim, and is asked again right before each call: what was marked when it opened is given back. A provider
with a rate is given no more than its tokens: the rest stays planned in the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from channels.base import LOCAL_PROVIDERS, SendResult, SendStatus
from orchestrator.clock import monotonic
from orchestrator.telemetry import emit

SOON = 0.5  # seconds worth waiting for, instead of for the next sweep: else a rate by the second were halved
_INSTANT = 1e-6  # what counts as the same instant
_TOLD_EVERY = 60.0  # seconds between two log lines about the same rate

CountWaiting = Callable[[Sequence[str], int], Mapping[str, int]]
"""How many messages are due at each of these providers, counting no further than a number."""


class Tokens(Protocol):
    """Leave to hand over ``count`` messages; ``again_in`` are the seconds until more may be had, 0 if all were had."""

    @property
    def count(self) -> int: ...
    @property
    def again_in(self) -> float: ...
    @property
    def give_back(self) -> Callable[[int], None]:
        """So many were not used: others may have them."""
        ...


class Rates(Protocol):
    """The rates of providers, over all processes. Nothing here raises or waits for long."""

    def __contains__(self, provider: str) -> bool: ...
    def take(self, provider: str, wanted: int) -> Tokens: ...


class Breakers(Protocol):
    """The circuit breakers of providers, over all processes. Nothing here raises or waits for long."""

    def room(self, providers: Iterable[str], most: int) -> Mapping[str, int]:
        """How many messages are worth marking for each provider that may be called."""
        ...

    def may_call(self, provider: str) -> bool: ...
    def report(self, provider: str, *, ok: bool, retry_after: float | None = None) -> None: ...
    def closed_until(self) -> Mapping[str, float]:
        """The instants of machine time before which providers may not be called."""
        ...


class ProviderAllowance:
    """What one batch may hand over: anything at providers without a rate, at the others one message a token, and one
    message alone at ``probed`` providers, whose breakers are half-open."""

    def __init__(
        self,
        capacity: Mapping[str, int],
        tokens: Mapping[str, Tokens],
        probed: Iterable[str] = (),
        *,
        places: int,
    ) -> None:
        self.places = places
        """How many calls more may begin at once, of all providers that are called."""
        self.capacity = capacity
        """The providers that may be given messages, and how many customers are worth claiming for each."""
        soon = [one.again_in for one in tokens.values() if 0 < one.again_in <= SOON]
        self.again_in = min(soon, default=None)
        """Seconds until more of what waits may leave, when that is soon."""
        self._tokens = tokens
        self._left = dict.fromkeys(probed, 1) | {provider: one.count for provider, one in tokens.items()}

    def remaining(self) -> Remaining:
        """For one transaction: what it takes counts once it is committed and told to :meth:`spend`."""
        return Remaining(open_to=frozenset(self.capacity), left=dict(self._left), places=self.places)

    def spend(self, providers: Iterable[str]) -> None:
        """These were marked, one message each."""
        for provider in providers:
            self.places -= provider not in LOCAL_PROVIDERS
            if provider in self._left:
                self._left[provider] -= 1

    def refund(self, provider: str) -> None:
        """One that was marked was never called."""
        if provider in self._tokens:
            self._tokens[provider].give_back(1)

    def close(self) -> None:
        """Give back what was not spent. Kept for later it would be used outside the window it was counted in."""
        for provider, tokens in self._tokens.items():
            tokens.give_back(self._left[provider])
        self._left = dict.fromkeys(self._left, 0)


@dataclass(kw_only=True)
class Remaining:
    """Who may still be given a message in this transaction."""

    open_to: frozenset[str]
    left: dict[str, int]  # of providers that have a rate or are probed
    places: int  # for calls

    def take(self, provider: str) -> bool:
        called = provider not in LOCAL_PROVIDERS
        if provider not in self.open_to or self.left.get(provider) == 0 or (called and self.places == 0):
            return False
        if provider in self.left:
            self.left[provider] -= 1
        self.places -= called
        return True

    def give_back(self, provider: str) -> None:
        """It was taken and is not needed."""
        if provider in self.left:
            self.left[provider] += 1
        self.places += provider not in LOCAL_PROVIDERS


@dataclass(kw_only=True)
class ProviderGates:
    """One per process. ``providers`` are asked anew each time: channels may be added while it runs."""

    providers: Callable[[], Iterable[str]]
    rates: Rates
    breakers: Breakers
    now: Callable[[], float] = monotonic
    _limited: dict[str, float] = field(default_factory=dict)  # until when no token is to be had
    _told: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_now(self) -> list[str]:
        """The providers whose breaker lets messages pass."""
        return list(self.breakers.room(self.providers(), 1))

    def may_call(self, provider: str) -> bool:
        """Asked right before each call, by the thread that makes it. False: give the message back, its breaker is open.

        Of a half-open breaker one call alone is let through, over all processes.
        """
        return self.breakers.may_call(provider)

    def admit(
        self, waiting: CountWaiting, *, limit: int, places: int, rated: bool = True
    ) -> ProviderAllowance:
        """Room for one batch. A token is taken only for what waits: others may need it.

        ``places`` are the calls that may begin at once, of all providers that are called. ``rated`` False: nothing for
        providers with a rate.
        """
        capacity = dict(self.breakers.room(self.providers(), limit))
        if not rated:
            capacity = {name: room for name, room in capacity.items() if name not in self.rates}
        probed = [name for name, room in capacity.items() if room < limit]
        limited = [name for name in capacity if name in self.rates]
        due = waiting(limited, limit) if limited else {}
        tokens = {
            name: self.rates.take(name, min(capacity[name], due[name])) for name in limited if due.get(name)
        }
        for name in limited:
            capacity[name] = tokens[name].count if name in tokens else 0
            self._learn(name, tokens.get(name))
        for name in capacity.keys() - LOCAL_PROVIDERS:
            capacity[name] = min(capacity[name], places)
        open_to = {name: room for name, room in capacity.items() if room}
        return ProviderAllowance(open_to, tokens, probed, places=places)

    def waits(self) -> dict[str, float]:
        """The providers that may be given nothing, and for how many seconds more."""
        with self._lock:
            now = self.now()
            until = dict(self.breakers.closed_until())
            for name, instant in self._limited.items():
                until[name] = max(until.get(name, 0.0), instant)
        left = {name: instant - now for name, instant in until.items()}
        return {name: seconds for name, seconds in left.items() if seconds > _INSTANT}

    def report(self, handed: SendResult) -> None:
        """Learn from one answer."""
        if handed.untried:
            return
        failed = handed.result in (SendStatus.UNCERTAIN, SendStatus.TRY_AGAIN) and not handed.about_message
        self.breakers.report(handed.provider, ok=not failed, retry_after=handed.retry_after)

    def _learn(self, provider: str, tokens: Tokens | None) -> None:
        """A provider whose tokens are used up is limited until the next one."""
        now = self.now()
        with self._lock:
            if tokens is None or not tokens.again_in:
                self._limited.pop(provider, None)
                return
            self._limited[provider] = now + (0.0 if tokens.count else tokens.again_in)
            if now - self._told.get(provider, -_TOLD_EVERY) < _TOLD_EVERY:
                return
            self._told[provider] = now
        emit("provider.limited", provider=provider, retry_after=round(tokens.again_in, 3))
