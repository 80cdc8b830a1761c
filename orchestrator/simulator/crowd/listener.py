"""People invented for a recording: they hear and react like the crowd, but cause no signals of their own."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from orchestrator.simulator.actions import Deed, Reached, What
from orchestrator.simulator.crowd.people import Account, Person, Place
from orchestrator.simulator.crowd.reactions import Heard, reactions_to
from orchestrator.simulator.personas import BY_NAME, PERSONAS
from orchestrator.simulator.seeded_choice import Fates

_LATER = datetime.max.replace(tzinfo=UTC)
_NOWHERE = Place(region="", zone="UTC", locale="en", prefix="")


class Listener:
    """Reactions to come, in one order."""

    def __init__(self, *, fates: Fates, end: datetime) -> None:
        self._fates = fates
        self._end = end
        self._heard: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._heap: list[tuple[tuple[datetime, str, int], Deed]] = []

    def next_at(self) -> datetime | None:
        return self._heap[0][0][0] if self._heap else None

    def until(self, instant: datetime) -> list[Deed]:
        deeds = []
        while self._heap and self._heap[0][0][0] <= instant:
            deeds.append(heapq.heappop(self._heap)[1])
        return deeds

    def reach(self, messages: Iterable[Reached]) -> None:
        for message in messages:
            person = _invented(message.message.customer_key, self._fates)
            self._heard[person.key] += 1
            heard = Heard(
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
            deed = Deed(at=at, customer=customer, number=self._numbers[customer], what=what)
            heapq.heappush(self._heap, (deed.order, deed))


def _invented(key: str, fates: Fates) -> Person:
    """Somebody with this customer's key; only her habits matter."""
    persona = BY_NAME[fates.weighed({one.name: one.share for one in PERSONAS}, key, "persona")]
    home = Account(
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
