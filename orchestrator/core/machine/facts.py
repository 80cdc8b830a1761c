"""What an enrollment may ask: a customer's facts seen through one enrollment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.core.machine.commands import SetTraits
from orchestrator.core.machine.enrollment import EnrollmentSnapshot, EnrollmentState
from orchestrator.language.conditions.facts import SignalOccurrence

_NOTHING: tuple[SignalOccurrence, ...] = ()


@dataclass(kw_only=True, slots=True)
class CustomerFacts:
    """One customer as loaded by a batch, kept current while events are applied.

    ``playbooks`` says of each playbook whether an enrollment is ``live`` or has ``ended``; others are ``never``.
    """

    key: str
    now: datetime
    zone: ZoneInfo
    attributes: dict[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    account_key: str | None = None
    tags: tuple[str, ...] = ()
    histories: dict[str, list[SignalOccurrence]] = field(default_factory=dict)
    playbooks: dict[str, str] = field(default_factory=dict)
    day_starts: time = time(9)
    default_patience_hours: int = 72

    @property
    def entered_at(self) -> datetime | None:
        return None

    def value(self, name: str) -> Any | None:
        if name.startswith("account."):
            return self.account.get(name[len("account.") :])
        if name.startswith("playbook."):
            return self.playbooks.get(name[len("playbook.") :], "never")
        if name == "tags":
            return list(self.tags)
        return self.attributes.get(name)

    def history(self, event: str) -> Sequence[SignalOccurrence]:
        events = self.histories.get(event, _NOTHING)
        if events and events[-1].occurred_at > self.now:
            return [item for item in events if item.occurred_at <= self.now]
        return events

    def with_traits(self, wanted: SetTraits) -> CustomerFacts:
        """The customer as they will be when ``wanted`` is carried out."""
        tags = [tag for tag in self.tags if tag not in wanted.remove_tags]
        tags.extend(tag for tag in wanted.add_tags if tag not in tags)
        return replace(self, attributes={**self.attributes, **wanted.attributes}, tags=tuple(tags))


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrollmentFacts:
    """The same customer inside one enrollment: context, answers, variants, outcomes, channels, visits, offers."""

    customer: CustomerFacts
    enrollment: EnrollmentSnapshot

    @property
    def now(self) -> datetime:
        return self.customer.now

    @property
    def zone(self) -> ZoneInfo:
        return self.customer.zone

    @property
    def entered_at(self) -> datetime | None:
        return self.enrollment.entered_at

    def value(self, name: str) -> Any | None:
        head, dot, tail = name.partition(".")
        if dot:
            found, value = enrollment_fact(self.enrollment.state, head, tail)
            if found:
                return value
        if name == "arrival":
            return self.enrollment.state.step_entered_at
        for place in (self.enrollment.state.saved, self.enrollment.context):
            if name in place:
                return place[name]
        return self.customer.value(name)

    def history(self, event: str) -> Sequence[SignalOccurrence]:
        return self.customer.history(event)


def enrollment_fact(state: EnrollmentState, head: str, tail: str) -> tuple[bool, Any]:
    """A dotted enrollment fact: whether ``head`` names one, and its value (None when there is none yet)."""
    match head:
        case "answer":
            return True, state.answers.get(tail)
        case "variant":
            return True, state.variants.get(tail)
        case "outcome":
            return True, state.outcomes.get(tail)
        case "channel":
            return True, state.channels.get(tail)
        case "visits":
            return True, state.visits.get(tail, 0)
        case "offer":
            name, _, fact = tail.partition(".")
            return True, state.offers.get(name, {}).get(fact)
        case _:
            return False, None
