"""The crowd in motion: plans each day, reacts to messages, and hands out what happens, in one order."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.actions import CustomerAction, OptIn, Reached, StartByProduct, What
from orchestrator.simulator.crowd.people import Person
from orchestrator.simulator.crowd.product_usage import (
    KNOWN,
    Life,
    UsageSignal,
    consequences,
    day_of,
    follow_ups,
    life_of,
    past_of,
)
from orchestrator.simulator.crowd.reactions import ReceivedMessage, reactions_to
from orchestrator.simulator.expectations import Cue, Expectations
from orchestrator.simulator.seeded_choice import SeededChoice

_DAY = timedelta(days=1)
_DECIDES = timedelta(hours=14)  # mean time from a click to the offer taken
_FOLLOWS_A_CUE = 0.45  # of those who clicked: starts the trial, calls back, whatever the step listens for
_AGREE_TO_SMS = 0.75  # of those who gave a number
_STRANGE_ENTRIES = 25  # days between two entering signals the product's life does not know


@dataclass(order=True, slots=True)
class _Entry:
    order: tuple[datetime, str, int]
    what: What | UsageSignal = field(compare=False)


class Crowd:
    """People over time. The same seed, people and messages give the same deeds in the same order."""

    def __init__(
        self,
        people: Sequence[Person],
        stories: Sequence[Expectations],
        *,
        fates: SeededChoice,
        start: datetime,
        end: datetime,
    ) -> None:
        self.people = {person.key: person for person in people}
        self._stories = {story.playbook: story for story in stories}
        self._fates = fates
        self._start = start
        self._end = end
        self._day = 0
        self._lives: dict[str, Life] = {person.key: life_of(person) for person in people}
        self._numbers: dict[str, int] = dict.fromkeys(self.people, 0)
        self._heard: Counter[str] = Counter()
        self._heap: list[_Entry] = []
        for person in people:
            self._introduce(person)
            for story in stories:
                self._plan_story(person, story)

    def next_at(self) -> datetime | None:
        """When something happens next: a deed, or the planning of a day."""
        midnight = self._start + self._day * _DAY
        instants = [self._heap[0].order[0]] if self._heap else []
        if midnight < self._end:
            instants.append(midnight)
        return min(instants, default=None)

    def until(self, instant: datetime) -> list[CustomerAction]:
        """Everything that happens up to ``instant``, oldest first, and is then forgotten here."""
        while (midnight := self._start + self._day * _DAY) <= instant and midnight < self._end:
            self._plan_day(midnight)
        deeds: list[CustomerAction] = []
        while self._heap and self._heap[0].order[0] <= instant:
            entry = heapq.heappop(self._heap)
            at, customer, number = entry.order
            if isinstance(entry.what, UsageSignal):
                deeds.extend(self._happens(entry.what, at, customer, number))
            else:
                deeds.append(CustomerAction(at=at, customer=customer, number=number, what=entry.what))
        return deeds

    def reach(self, messages: Iterable[Reached]) -> None:
        """Let people react to what reached them."""
        for message in messages:
            person = self.people.get(message.message.customer_key)
            if person is None:
                continue
            self._heard[person.key] += 1
            heard = ReceivedMessage(
                person=person,
                message=message.message,
                number=self._heard[person.key],
                at=message.at,
                endings=message.endings,
            )
            for reaction in reactions_to(heard, self._fates):
                self._push(reaction.at, person.key, reaction.what)
                if reaction.taken:
                    self._tempt(message, heard, reaction.at)

    def _introduce(self, person: Person) -> None:
        """Profiles are told when people join; who was there before, in the first minute."""
        home = person.account
        facts = {
            "name": home.name,
            "plan": home.plan,
            "seats": home.seats,
            "renews_at": home.renews_at.isoformat(),
        }
        at = self._start + person.joins
        if person.role == "owner" or not person.joins:
            self._push(at, person.key, Identify(key=home.key, traits=facts, account=True, occurred_at=at))
        self._push(at, person.key, Identify(key=person.key, traits=person.traits(), occurred_at=at))
        for event in past_of(person, self._start, self._fates):
            self._push(self._start, person.key, event)
        if person.phone and self._fates.chance(_AGREE_TO_SMS, person.key, "agrees"):
            self._push(at, person.key, OptIn(channel="sms"))

    def _plan_day(self, midnight: datetime) -> None:
        for key, person in self.people.items():
            for event in day_of(person, self._lives[key], self._day, midnight, self._fates):
                if event.at > self._start + person.joins:
                    self._push(event.at, key, event)
        self._day += 1

    def _plan_story(self, person: Person, story: Expectations) -> None:
        """What people do without being asked: take the offer alone, and enter where the product's life has no word."""
        fates, about = self._fates, (person.key, story.playbook)
        days = max(1, (self._end - self._start).days)
        for cue in story.goals:
            if not cue.from_context and fates.chance(person.persona.alone, *about, cue.event, "alone"):
                at = (
                    self._start
                    + person.joins
                    + timedelta(hours=fates.whole(30, days * 24, *about, cue.event))
                )
                self._push_cue(at, person, cue, {}, *about)
        strange = [name for name in story.entry if name not in KNOWN]
        if not strange and not story.by_product:
            return
        at = (
            self._start
            + person.joins
            + timedelta(hours=fates.whole(9, _STRANGE_ENTRIES * 24, *about, "first"))
        )
        turn = 0
        while at < self._end:
            context = story.invented_context(at, fates, *about, turn)
            if story.by_product:
                self._push(
                    at,
                    person.key,
                    StartByProduct(playbook=story.playbook, context=context, key=f"crowd:{turn}"),
                )
            else:
                name = fates.one_of(strange, *about, turn)
                self._push(at, person.key, UsageSignal(at=at, name=name, properties=context))
            turn += 1
            at += timedelta(hours=fates.whole(_STRANGE_ENTRIES * 12, _STRANGE_ENTRIES * 36, *about, turn))

    def _tempt(self, message: Reached, heard: ReceivedMessage, clicked_at: datetime) -> None:
        """After a click a person may take the offer, or do something else the step listens for."""
        story = self._stories.get(message.playbook)
        if story is None:
            return
        person = heard.person
        about = (person.key, heard.number, "tempted")
        at = clicked_at + self._fates.delay(_DECIDES, *about)
        cues = story.cues.get(message.step, ())
        if cues and self._fates.chance(_FOLLOWS_A_CUE, *about, "cue"):
            self._push_cue(at, person, self._fates.one_of(cues, *about), message.context, *about)
        elif story.goals and self._fates.chance(person.persona.converts, *about, "converts"):
            self._push_cue(at, person, self._fates.one_of(story.goals, *about), message.context, *about)

    def _push_cue(
        self, at: datetime, person: Person, cue: Cue, context: Mapping[str, Any], *about: object
    ) -> None:
        properties = cue.properties(context, self._fates, *about)
        self._push(at, person.key, UsageSignal(at=at, name=cue.event, properties=properties))

    def _happens(self, event: UsageSignal, at: datetime, customer: str, number: int) -> list[CustomerAction]:
        """The calls one event of the product makes; nothing is done twice that is done once."""
        life = self._lives[customer]
        if life.churned:
            return []
        person = self.people[customer]
        traits = {**event.traits, **consequences(event, life)}
        for later in follow_ups(event, person, self._fates):
            self._push(later.at, customer, later)
        deeds: list[What] = []
        if traits:
            deeds.append(Identify(key=customer, traits=traits, occurred_at=at))
        source = f"crowd:{customer}:{number}"
        deeds.append(
            Track(
                key=customer,
                event=event.name,
                properties=event.properties,
                source_id=source,
                occurred_at=event.at,
                context={"timezone": person.place.zone},
            )
        )
        return [CustomerAction(at=at, customer=customer, number=number, what=what) for what in deeds]

    def _push(self, at: datetime, customer: str, what: What | UsageSignal) -> None:
        if at < self._end:
            self._numbers[customer] += 1
            heapq.heappush(self._heap, _Entry((at, customer, self._numbers[customer]), what))
