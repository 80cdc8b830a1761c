"""Recorded signals as a source of deeds: each happens at the instant it was recorded for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.actions import CustomerAction, Reached, What
from orchestrator.simulator.crowd.listener import Listener
from orchestrator.simulator.seeded_choice import SeededChoice


class Recording:
    """Plays facts in the order of their instants; equal instants keep the order of the recording.

    Nobody in a recording hears what the engine says; with ``fates``, people of its customers' names are invented
    who react to messages (but never buy: what was bought is in the recording).
    """

    def __init__(
        self,
        facts: Iterable[Identify | Track],
        *,
        start: datetime,
        end: datetime,
        fates: SeededChoice | None = None,
    ) -> None:
        at_start = [(max(fact.occurred_at or start, start), fact) for fact in facts]
        self._facts = deque(sorted(at_start, key=lambda pair: pair[0]))
        self._end = end
        self._number = 0
        self._listener = Listener(fates=fates, end=end) if fates else None

    def next_at(self) -> datetime | None:
        instants = [self._facts[0][0]] if self._facts else []
        if self._listener and (heard := self._listener.next_at()):
            instants.append(heard)
        return min((instant for instant in instants if instant < self._end), default=None)

    def until(self, instant: datetime) -> list[CustomerAction]:
        deeds = []
        while self._facts and self._facts[0][0] <= instant:
            at, fact = self._facts.popleft()
            deeds.append(self._deed(at, fact.key, fact))
        if self._listener:
            deeds.extend(self._listener.until(instant))
        return deeds

    def reach(self, messages: Iterable[Reached]) -> None:
        if self._listener:
            self._listener.reach(messages)

    def _deed(self, at: datetime, customer: str, what: What) -> CustomerAction:
        self._number += 1
        return CustomerAction(at=at, customer=customer, number=self._number, what=what)
