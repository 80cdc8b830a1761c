"""The zone chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.quiet_hours import everywhere
from orchestrator.core.zones import candidate_zones, phone_zones, zone, zone_names

BERLIN_PHONE, NEW_YORK_PHONE, TOLL_FREE = "+493012345678", "+12125550123", "+18005550123"


def keys(profile: str | None, device: str | None, phone: str | None, default: str | None) -> list[str]:
    return [str(found.key) for found in candidate_zones(profile, device, phone, default).zones]


@pytest.mark.parametrize(
    ("known", "source", "best"),
    [
        (("Asia/Tokyo", "Asia/Seoul", BERLIN_PHONE, "UTC"), "profile", "Asia/Tokyo"),
        ((None, "Asia/Seoul", BERLIN_PHONE, "UTC"), "device", "Asia/Seoul"),
        ((None, None, BERLIN_PHONE, "UTC"), "phone", "Europe/Berlin"),
        ((None, None, None, "UTC"), "account", "UTC"),
        ((None, None, None, None), None, None),
    ],
)
def test_the_first_link_that_knows_gives_the_best_zone(
    known: tuple[str | None, str | None, str | None, str | None], source: str | None, best: str | None
) -> None:
    found = candidate_zones(*known)

    assert found.source == source
    assert (str(found.zones[0].key) if found.zones else None) == best


def test_every_clue_about_the_person_is_kept_and_the_default_is_none() -> None:
    assert keys("Asia/Tokyo", None, NEW_YORK_PHONE, "UTC") == ["Asia/Tokyo", "America/New_York"]
    assert keys("Asia/Tokyo", "Europe/Paris", NEW_YORK_PHONE, "UTC") == [
        "Asia/Tokyo",
        "Europe/Paris",
        "America/New_York",
    ]
    assert keys("America/New_York", None, NEW_YORK_PHONE, None) == ["America/New_York"]


def test_an_unknown_name_is_reported_and_the_next_link_asked() -> None:
    found = candidate_zones("Mars/Olympus", "../../etc/passwd", BERLIN_PHONE, "UTC")

    assert found.unknown == ("Mars/Olympus", "../../etc/passwd")
    assert found.source == "phone"
    assert candidate_zones(None, None, None, "Nowhere").unknown == ("Nowhere",)


def test_a_toll_free_number_may_ring_in_many_zones_and_the_likely_one_leads() -> None:
    assert len(phone_zones(TOLL_FREE)) > 30
    assert phone_zones(TOLL_FREE, likely="America/Chicago")[0].key == "America/Chicago"
    assert set(phone_zones(TOLL_FREE, likely="America/Chicago")) == set(phone_zones(TOLL_FREE))


def test_a_number_not_in_service_still_tells_its_country() -> None:
    assert set(phone_zones("+15550001111")) == set(phone_zones(TOLL_FREE))


@pytest.mark.parametrize("phone", [None, "", "hello", "4915", "+999123", "+88312345", "+1" * 40])
def test_garbage_tells_nothing(phone: str | None) -> None:
    assert phone_zones(phone) == ()


def test_every_name_of_the_pinned_data_opens_and_is_the_same_object_each_time() -> None:
    assert len(zone_names()) > 500
    for name in zone_names():
        found = zone(name)
        assert found is not None
        assert found is zone(name)
        assert found.key == name


def test_everywhere_shows_every_offset_in_use_at_any_time_of_two_years() -> None:
    start = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    zones = [found for name in zone_names() if (found := zone(name))]
    for week in range(105):
        moment = start + timedelta(days=7 * week)
        shown = {moment.astimezone(place).utcoffset() for place in everywhere()}
        missing = {place.key for place in zones if moment.astimezone(place).utcoffset() not in shown}
        assert not missing, f"{moment}: {sorted(missing)}"
