"""The crowd: the same seed gives the same people and deeds, and nobody's fate depends on who else is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.actions import CustomerAction, OptIn, StartByProduct
from orchestrator.simulator.crowd.crowd import Crowd
from orchestrator.simulator.crowd.people import Person, make_crowd
from orchestrator.simulator.expectations import Expectations
from orchestrator.simulator.seeded_choice import SeededChoice

START = datetime(2026, 10, 5, tzinfo=UTC)
END = START + timedelta(days=40)


def people(number: int, *, seed: int = 7) -> tuple[Person, ...]:
    return make_crowd(number, fates=SeededChoice(seed), start=START)


def deeds_of(number: int, *stories: Expectations, seed: int = 7) -> list[CustomerAction]:
    crowd = Crowd(people(number, seed=seed), stories, fates=SeededChoice(seed), start=START, end=END)
    deeds: list[CustomerAction] = []
    while (instant := crowd.next_at()) is not None:
        deeds += crowd.until(instant)
    return deeds


def a_story(**changes: object) -> Expectations:
    facts: dict[str, object] = {
        "playbook": "p", "entry": (), "by_product": False, "context": (), "goals": (), "cues": {}, "endings": {},
    }  # fmt: skip
    return Expectations(**(facts | changes))  # type: ignore[arg-type]


def test_the_same_seed_makes_the_same_deeds() -> None:
    assert deeds_of(40) == deeds_of(40)


def test_another_seed_makes_other_deeds() -> None:
    assert deeds_of(40) != deeds_of(40, seed=8)


def test_more_people_change_nothing_about_those_who_were_there() -> None:
    first = people(30)[0].key
    few, many = ([deed for deed in deeds_of(number) if deed.customer == first] for number in (30, 60))
    assert few == many


def test_deeds_come_in_the_order_of_their_instants() -> None:
    instants = [deed.at for deed in deeds_of(40)]
    assert instants == sorted(instants)


def test_nothing_happens_before_the_beginning_or_after_the_end() -> None:
    assert all(START <= deed.at < END for deed in deeds_of(40))


def test_a_profile_is_told_before_anything_else_about_a_person() -> None:
    told: set[str] = set()
    for deed in deeds_of(60):
        if isinstance(deed.what, Identify) and not deed.what.account:
            told.add(deed.customer)
        elif not isinstance(deed.what, Identify):
            assert deed.customer in told


def test_source_ids_are_unique() -> None:
    ids = [deed.what.source_id for deed in deeds_of(60) if isinstance(deed.what, Track)]
    assert len(ids) == len(set(ids))


def test_every_zone_exists_and_lord_howe_is_among_them() -> None:
    zones = {person.place.zone for person in people(400)}
    assert "Australia/Lord_Howe" in zones
    assert all(ZoneInfo(zone) for zone in zones)


def test_every_number_could_be_dialled() -> None:
    numbers = [person.phone for person in people(400) if person.phone]
    assert numbers
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)


def test_nobody_agrees_to_text_messages_without_a_number() -> None:
    reachable = {person.key for person in people(200) if person.phone}
    agreed = {deed.customer for deed in deeds_of(200) if isinstance(deed.what, OptIn)}
    assert agreed
    assert agreed <= reachable


def test_a_playbook_that_only_the_product_starts_is_started_by_it() -> None:
    story = a_story(by_product=True, context=(("limit", "number"), ("name", "text")))
    begun = [deed.what for deed in deeds_of(30, story) if isinstance(deed.what, StartByProduct)]
    assert {begin.playbook for begin in begun} == {"p"}
    assert all(isinstance(begin.context["limit"], int) and begin.context["name"] for begin in begun)


@pytest.mark.parametrize("event", ["export_limit_reached", "checkout_started"])
def test_entering_signals_come_whether_the_product_knows_them_or_not(event: str) -> None:
    story = a_story(entry=(event,), context=(("export_limit", "number"),))
    told = [deed.what for deed in deeds_of(120, story) if isinstance(deed.what, Track)]
    seen = [signal for signal in told if signal.event == event]
    assert seen
    assert all("export_limit" in signal.properties for signal in seen)
