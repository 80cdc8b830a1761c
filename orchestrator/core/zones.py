"""Where a customer's clock stands: profile, else a recent device, else the phone number, else the account's default.

Zones come from the pinned ``tzdata`` package and never from the machine, so that every process and every rerun reads
the same rules. A phone number often names several zones; all of them are kept, because texts must be allowed in every
one, and the likeliest stands first for whatever needs just one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

ZoneSource = Literal["profile", "device", "phone", "account"]

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # only to lay a number's zones out from west to east


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateZones:
    """Every plausible zone, best first, where the best came from, and the names no zone is known for."""

    zones: tuple[ZoneInfo, ...]
    source: ZoneSource | None
    unknown: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name the pinned data knows, old spellings included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone of this name, or None when there is none; the same object every time."""
    if name not in zone_names():
        return None
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def candidate_zones(
    profile_zone: str | None,
    device_zone: str | None,
    phone: str | None,
    default: str | None,
) -> CandidateZones:
    """The zone chain. ``device_zone`` is that of a recent session (None when it is old); ``phone`` is E.164.

    The account's default is a stop-gap: it stands only when nothing else is known.
    """
    found: dict[ZoneInfo, ZoneSource] = {}
    unknown: list[str] = []
    named: tuple[tuple[str | None, ZoneSource], ...] = ((profile_zone, "profile"), (device_zone, "device"))
    for text, source in named:
        _take(text, source, found, unknown)
    for number_zone in phone_zones(phone, likely=default):
        found.setdefault(number_zone, "phone")
    if not found:
        _take(default, "account", found, unknown)
    return CandidateZones(
        zones=tuple(found), source=next(iter(found.values()), None), unknown=tuple(dict.fromkeys(unknown))
    )


def zones_of(
    known: str | None, source: str | None, points: Mapping[str, tuple[str, str | None]], default: str
) -> CandidateZones:
    """The chain for one customer: what profile or device said (``source``), the number, the account's default; UTC
    when even that is no zone. ``points`` are contact points by channel."""
    profile = known if source == "profile" else None
    device = known if source == "device" else None
    phone = points["sms"][0] if "sms" in points else None
    found = candidate_zones(profile, device, phone, default)
    return found if found.zones else candidate_zones(None, None, None, "UTC")


@lru_cache(maxsize=4096)
def phone_zones(phone: str | None, *, likely: str | None = None) -> tuple[ZoneInfo, ...]:
    """Every zone an E.164 number may ring in, likeliest first; empty when the number tells nothing.

    A number that is not in service may still tell its country. Of several zones the one named ``likely`` stands
    first, else the middle one from west to east.
    """
    names = _number_zone_names(phone) if phone else ()
    zones = [found for name in names if (found := zone(name)) is not None]
    zones.sort(
        key=lambda candidate: (_SOME_DAY.astimezone(candidate).utcoffset() or timedelta(), candidate.key)
    )
    if not zones:
        return ()
    first = next((candidate for candidate in zones if candidate.key == likely), zones[len(zones) // 2])
    return (first, *(candidate for candidate in zones if candidate is not first))


def _take(
    text: str | None, source: ZoneSource, found: dict[ZoneInfo, ZoneSource], unknown: list[str]
) -> None:
    if not text:
        return
    known = zone(text)
    if known is None:
        unknown.append(text)
    else:
        found.setdefault(known, source)


def _number_zone_names(phone: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return ()
    names: set[str] = set(number_zones.time_zones_for_number(number))
    if names == {number_zones.UNKNOWN_TIMEZONE}:
        names = set(number_zones.time_zones_for_geographical_number(number))
    return tuple(sorted(names - {number_zones.UNKNOWN_TIMEZONE}))
