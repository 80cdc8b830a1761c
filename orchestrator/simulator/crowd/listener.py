"""People invented for a recording: they hear and react like the crowd, but cause no signals of their own."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from orchestrator.simulator.actions import CustomerAction, Reached, What
from orchestrator.simulator.crowd.people import CrowdAccount, Person, Residence
from orchestrator.simulator.crowd.reactions import ReceivedMessage, reactions_to
from orchestrator.simulator.personas import BY_NAME, PERSONAS
from orchestrator.simulator.seeded_choice import SeededChoice

_LATER = datetime.max.replace(tzinfo=UTC)
_NOWHERE = Residence(region="", zone="UTC", locale="en", prefix="")


class Listener:
    """Reactions to come, in one order."""

    def __init__(self, *, fates: SeededChoice, end: datetime) -> None:
        self._fates = fates
        self._end = end
        self._heard: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._heap: list[tuple[tuple[datetime, str, int], CustomerAction]] = []

    def next_at(self) -> datetime | None:
        return self._heap[0][0][0] if self._heap else None

    def until(self, instant: datetime) -> list[CustomerAction]:
        deeds = []
        while self._heap and self._heap[0][0][0] <= instant:
            deeds.append(heapq.heappop(self._heap)[1])
        return deeds

    def reach(self, messages: Iterable[Reached]) -> None:
        for message in messages:
            person = _invented(message.message.customer_key, self._fates)
            self._heard[person.key] += 1
            heard = ReceivedMessage(
                person=person,
                message=message.message,
                number=self._heard[person.key],
                at=message.at,
                endings=message.endings,
            )
            for reaction in reactions_to(heard, self._fates):
                self._push(person.key, reaction.at, reaction.what)

    def _push(self, customer: str, at: datetime, what: What) -> None:
        if at < self._end:
            self._numbers[customer] += 1
            deed = CustomerAction(at=at, customer=customer, number=self._numbers[customer], what=what)
            heapq.heappush(self._heap, (deed.order, deed))


def _invented(key: str, fates: SeededChoice) -> Person:
    """Somebody with this customer's key; only the habits matter."""
    persona = BY_NAME[fates.weighed({one.name: one.share for one in PERSONAS}, key, "persona")]
    home = CrowdAccount(
        key=key,
        name=key,
        industry="",
        plan="",
        seats=0,
        used=0,
        renews_at=_LATER,
        slips=fates.chance(0.2, key, "slips"),
    )
    return Person(
        key=key,
        first_name=key,
        account=home,
        role="owner",
        place=_NOWHERE,
        persona=persona,
        joins=timedelta(),
        email="",
        phone=None,
        bad_email=False,
        lifetime_value=0,
        signed_up_at=_LATER,
        busy_season=None,
    )
