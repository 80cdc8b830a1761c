"""A day in the life of the product: which signals a person causes before any message comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.simulator.crowd.people import Person
from orchestrator.simulator.seeded_choice import SeededChoice

_DAY = timedelta(days=1)
_NEXT_PLAN = {"starter": ("team", 20), "team": ("scale", 80)}

# Every event that comes about without a playbook asking for it.
KNOWN = frozenset(
    {
        "session_started", "premium_module_opened", "export_limit_reached", "onboarding_completed",
        "core_feature_activated", "usage_reported", "seats_limit_reached", "orders_reported", "health_changed",
        "payment_failed", "payment_succeeded",
        "support_ticket_opened", "support_ticket_closed", "nps_score", "trial_ended",
    }
)  # fmt: skip


@dataclass(slots=True)
class Life:
    """What has become of one person so far: the only thing in the crowd that changes."""

    plan: str
    seats: int
    used: int
    joined: bool = False
    churned: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageSignal:
    """A signal to come: ``traits`` are told with it when the product's picture of the person changes."""

    at: datetime
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)


def life_of(person: Person) -> Life:
    home = person.account
    return Life(plan=home.plan, seats=home.seats, used=home.used)


def past_of(person: Person, start: datetime, fates: SeededChoice) -> Iterator[UsageSignal]:
    """What is known from before the beginning about those who were there already."""
    if not person.joins and fates.chance(0.7, person.key, "activated before"):
        at = start - timedelta(days=fates.whole(20, 300, person.key, "activated at"))
        yield UsageSignal(at=at, name="core_feature_activated", properties={"feature": "live_report"})


def day_of(
    person: Person, life: Life, day: int, midnight: datetime, fates: SeededChoice
) -> Iterator[UsageSignal]:
    """The events of one day (counted from the beginning), in no particular order."""
    if life.churned:
        return
    since = day - person.joins.days
    if since < 0:
        return
    about = (person.key, day)
    yield from _sessions(person, life, day, midnight, fates)
    yield from _first_steps(person, since, midnight, fates)
    yield from _account_news(person, life, day, midnight, fates)
    if fates.chance(0.025 if person.account.slips else 0.006, *about, "ticket"):
        yield from _ticket(person, day, midnight, fates)
    if fates.chance(0.004, *about, "nps"):
        score = (
            fates.whole(2, 8, *about, "score")
            if person.account.slips
            else fates.whole(6, 10, *about, "score")
        )
        yield UsageSignal(
            at=_office(person, midnight, fates, day, "nps"), name="nps_score", properties={"score": score}
        )


def follow_ups(event: UsageSignal, person: Person, fates: SeededChoice) -> Iterator[UsageSignal]:
    """What the product reports later because of this event: a trial that began will end, a failed payment is paid."""
    match event.name:
        case "trial_started":
            yield UsageSignal(at=event.at + 30 * _DAY, name="trial_ended", properties=event.properties)
        case "support_ticket_opened":
            spent = fates.delay(timedelta(hours=30), person.key, event.at, "closed")
            yield UsageSignal(at=event.at + spent, name="support_ticket_closed", properties=event.properties)
        case "payment_failed":
            yield UsageSignal(at=event.at + 2 * _DAY, name="payment_succeeded", properties=event.properties)
        case _:
            return


def consequences(event: UsageSignal, life: Life) -> Mapping[str, Any]:
    """What the product's picture of a person becomes through an event, as traits; ``life`` follows."""
    match event.name:
        case "plan_upgraded" if life.plan in _NEXT_PLAN:
            life.plan, life.seats = _NEXT_PLAN[life.plan]
            return {"plan": life.plan, "seats": life.seats}
        case "seats_added":
            life.seats += 5
            return {"seats": life.seats}
        case "account_churned":
            life.churned = True
        case _:
            pass
    return {}


def _sessions(
    person: Person, life: Life, day: int, midnight: datetime, fates: SeededChoice
) -> Iterator[UsageSignal]:
    rate = person.persona.sessions / 7
    if person.account.slips and day > 20:
        rate *= 0.4
    if not fates.chance(min(rate, 0.97), person.key, day, "session"):
        return
    begins = _office(person, midnight, fates, day, "session")
    yield UsageSignal(at=begins, name="session_started")
    if fates.chance(0.4 * person.persona.power, person.key, day, "premium"):
        module = fates.one_of(("forecasts", "benchmarks", "audit_log"), person.key, day, "module")
        yield UsageSignal(
            at=begins + timedelta(minutes=7), name="premium_module_opened", properties={"module": module}
        )
    if life.plan != "scale" and fates.chance(0.02 * person.persona.power, person.key, day, "export"):
        limit = {"starter": 50, "team": 500}.get(life.plan, 500)
        yield UsageSignal(
            at=begins + timedelta(minutes=15), name="export_limit_reached", properties={"export_limit": limit}
        )


def _first_steps(
    person: Person, since: int, midnight: datetime, fates: SeededChoice
) -> Iterator[UsageSignal]:
    """Those who join set the product up; a few of the others discover the core feature late."""
    new = person.joins > timedelta()
    if (
        new
        and since == fates.whole(2, 9, person.key, "onboarded")
        and fates.chance(0.75, person.key, "onboards")
    ):
        yield UsageSignal(
            at=_office(person, midnight, fates, since, "onboarded"), name="onboarding_completed"
        )
    late = fates.whole(3, 14, person.key, "core") if new else fates.whole(1, 50, person.key, "core")
    if since == late and fates.chance(0.6 if new else 0.12, person.key, "activates"):
        at = _office(person, midnight, fates, since, "core")
        yield UsageSignal(at=at, name="core_feature_activated", properties={"feature": "live_report"})


def _account_news(
    person: Person, life: Life, day: int, midnight: datetime, fates: SeededChoice
) -> Iterator[UsageSignal]:
    """What the product knows of the account is told with each person's profile."""
    home = person.account
    if (day + fates.whole(0, 6, home.key, "weekday")) % 7 == 0:
        grows = fates.chance(0.12 * (0.2 if home.slips else 1.0), home.key, day // 7, "grows")
        life.used = min(life.seats, life.used + (1 if grows else 0))
        yield UsageSignal(
            at=midnight + timedelta(hours=6),
            name="usage_reported",
            properties={"seats": life.seats, "seats_used": life.used},
            traits={"seats": life.seats, "seats_used": life.used},
        )
        if life.used == life.seats:
            yield UsageSignal(
                at=midnight + timedelta(hours=6), name="seats_limit_reached", properties={"seats": life.seats}
            )
        if home.industry == "retail":
            orders = fates.whole(40, 400, home.key, day, "orders")
            told = {"orders": orders, "revenue": orders * fates.whole(20, 60, home.key, "basket")}
            yield UsageSignal(at=midnight + timedelta(hours=7), name="orders_reported", properties=told)
    if home.slips and day % 12 == 5:
        yield UsageSignal(at=midnight + timedelta(hours=5), name="health_changed")
    if person.role == "owner" and fates.chance(0.0015, person.key, day, "payment"):
        yield UsageSignal(
            at=midnight + timedelta(hours=3), name="payment_failed", properties={"amount": 40 * life.used}
        )


def _ticket(person: Person, day: int, midnight: datetime, fates: SeededChoice) -> Iterator[UsageSignal]:
    doubts = fates.chance(0.6 if person.account.slips else 0.1, person.key, day, "doubts")
    yield UsageSignal(
        at=_office(person, midnight, fates, day, "ticket"),
        name="support_ticket_opened",
        properties={"ticket": f"{person.key}/{day}", "doubts_value": doubts},
    )


def _office(person: Person, midnight: datetime, fates: SeededChoice, day: int, what: str) -> datetime:
    """An instant between eight and seven of the person's own day."""
    zone = ZoneInfo(person.place.zone)
    local = midnight.astimezone(zone).replace(hour=8, minute=0, second=0)
    minutes = fates.whole(0, 11 * 60 - 1, person.key, day, what, "minute")
    opened = local.astimezone(midnight.tzinfo)
    if opened < midnight:
        opened += _DAY
    return opened + timedelta(minutes=minutes)
