"""The crowd: accounts and the people in them, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.simulator.personas import BY_NAME, PERSONAS, Persona
from orchestrator.simulator.seeded_choice import SeededChoice

_PEOPLE_PER_ACCOUNT = 3
_ROLES = ("owner", "admin", "member")
_FIRST_NAMES = (
    "Ada", "Bilal", "Carmen", "Dinh", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kemi", "Lena", "Milo",
    "Noor", "Oskar", "Priya", "Quinn", "Rosa", "Sofia", "Tomas", "Uma", "Viktor", "Wanda", "Ximena", "Yuki", "Zora",
)  # fmt: skip
_COMPANIES = (
    "Amber",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Fjord",
    "Granite",
    "Harbour",
    "Indigo",
    "Juniper",
)
_TRADES = ("Books", "Dental", "Foods", "Freight", "Gardens", "Labs", "Legal", "Outfitters", "Studio", "Tax")
_INDUSTRIES = ("retail", "accounting", "logistics", "health", "design", "hospitality")
# Days until the busy season of these trades, about.
_SEASONS = {"retail": 55, "accounting": 40, "logistics": 48}
_PLANS = {"starter": 0.35, "team": 0.45, "scale": 0.20}
_PRICES = {"starter": 15, "team": 39, "scale": 79}


@dataclass(frozen=True, kw_only=True, slots=True)
class Residence:
    """Where somebody lives: what the engine's quiet hours, offers and texts look at."""

    region: str
    zone: str
    locale: str
    prefix: str  # of well-formed numbers; only sandbox channels ever see them


PLACES: dict[Residence, float] = {
    Residence(region="US-FL", zone="America/New_York", locale="en-US", prefix="+1202555"): 0.16,
    Residence(region="US-WA", zone="America/Los_Angeles", locale="en-US", prefix="+1415555"): 0.12,
    Residence(region="US-AZ", zone="America/Phoenix", locale="en-US", prefix="+1602555"): 0.04,
    Residence(region="GB", zone="Europe/London", locale="en-GB", prefix="+4474005551"): 0.12,
    Residence(region="DE", zone="Europe/Berlin", locale="de-DE", prefix="+4915255555"): 0.15,
    Residence(region="AT", zone="Europe/Vienna", locale="de-AT", prefix="+4366055555"): 0.04,
    Residence(region="FR", zone="Europe/Paris", locale="fr-FR", prefix="+3361255"): 0.09,
    Residence(region="IN", zone="Asia/Kolkata", locale="en-IN", prefix="+9198765"): 0.08,
    Residence(region="NP", zone="Asia/Kathmandu", locale="en", prefix="+97798412"): 0.02,
    Residence(region="AU", zone="Australia/Sydney", locale="en-AU", prefix="+61491570"): 0.08,
    Residence(region="AU", zone="Australia/Lord_Howe", locale="en-AU", prefix="+61491571"): 0.03,
    Residence(region="BR", zone="America/Sao_Paulo", locale="pt-BR", prefix="+55119"): 0.04,
    Residence(region="NZ", zone="Pacific/Chatham", locale="en-NZ", prefix="+6421555"): 0.03,
}
_DIGITS = {"US": 12, "GB": 13, "DE": 14, "AT": 14, "FR": 12, "IN": 13, "NP": 14, "AU": 12, "BR": 14, "NZ": 12}


@dataclass(frozen=True, kw_only=True, slots=True)
class CrowdAccount:
    key: str
    name: str
    industry: str
    plan: str
    seats: int
    used: int
    renews_at: datetime
    slips: bool  # its use goes down while we watch


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    key: str
    first_name: str
    account: CrowdAccount
    role: str
    place: Residence
    persona: Persona
    joins: timedelta  # after the beginning; zero for who was there before
    email: str
    phone: str | None
    bad_email: bool
    lifetime_value: int
    signed_up_at: datetime
    busy_season: datetime | None

    def traits(self) -> dict[str, Any]:
        """What the product would tell with its first ``identify``."""
        facts: dict[str, Any] = {
            "first_name": self.first_name,
            "email": self.email,
            "timezone": self.place.zone,
            "locale": self.place.locale,
            "region": self.place.region,
            "account": self.account.key,
            "role": self.role,
            "plan": self.account.plan,
            "seats": self.account.seats,
            "seats_used": self.account.used,
            "lifetime_value": self.lifetime_value,
            "signed_up_at": self.signed_up_at.isoformat(),
            "peer_group": f"{self.account.industry} teams like yours",
            "peer_adoption": 0.58,
        }
        if self.phone:
            facts["phone"] = self.phone
        if self.busy_season:
            facts["busy_season_starts"] = self.busy_season.date().isoformat()
            facts["busy_season_ends"] = (self.busy_season + timedelta(days=9)).date().isoformat()
        return facts


def make_crowd(number: int, *, fates: SeededChoice, start: datetime) -> tuple[Person, ...]:
    """``number`` people, about three an account; the same seed makes the same people, whatever the number."""
    accounts: dict[int, CrowdAccount] = {}
    people = []
    for place in range(number):
        home = place // _PEOPLE_PER_ACCOUNT
        if home not in accounts:
            accounts[home] = _account(home, fates, start)
        people.append(_person(place, accounts[home], fates, start))
    return tuple(people)


def _account(number: int, fates: SeededChoice, start: datetime) -> CrowdAccount:
    key = f"account-{number + 1:04d}"
    plan = fates.weighed(_PLANS, key, "plan")
    seats = {"starter": 5, "team": 20, "scale": 80}[plan]
    fill = 0.25 + 0.7 * fates.share(key, "fill")
    return CrowdAccount(
        key=key,
        name=f"{fates.one_of(_COMPANIES, key, 'name')} {fates.one_of(_TRADES, key, 'trade')} {number + 1}",
        industry=fates.one_of(_INDUSTRIES, key, "industry"),
        plan=plan,
        seats=seats,
        used=max(1, round(seats * fill)),
        renews_at=start + timedelta(days=fates.whole(5, 370, key, "renewal")),
        slips=fates.chance(0.18, key, "slips"),
    )


def _person(number: int, account: CrowdAccount, fates: SeededChoice, start: datetime) -> Person:
    key = f"customer-{number + 1:05d}"
    name = fates.one_of(_FIRST_NAMES, key, "name")
    place = fates.weighed(PLACES, account.key if fates.chance(0.8, key, "same place") else key, "place")
    new = fates.chance(0.15, key, "new")
    season = _SEASONS.get(account.industry)
    persona = BY_NAME[fates.weighed({one.name: one.share for one in PERSONAS}, key, "persona")]
    joins = timedelta(hours=fates.whole(24, 40 * 24, key, "joins")) if new else timedelta()
    before = timedelta() if new else timedelta(days=fates.whole(30, 900, account.key, "signed up"))
    return Person(
        key=key,
        first_name=name,
        account=account,
        role=_ROLES[number % _PEOPLE_PER_ACCOUNT],
        place=place,
        persona=persona,
        joins=joins,
        signed_up_at=start + joins - before,
        email=f"{name.lower()}.{number + 1}@{account.key}.example",
        phone=_phone(place, number) if fates.chance(0.7, key, "phone") else None,
        bad_email=fates.chance(0.02, key, "bad email"),
        lifetime_value=_PRICES[account.plan] * account.used * fates.whole(2, 30, key, "months"),
        busy_season=start + timedelta(days=season + fates.whole(-8, 8, account.key, "season"))
        if season
        else None,
    )


def _phone(place: Residence, number: int) -> str:
    room = _DIGITS[place.region[:2]] - len(place.prefix)
    return place.prefix + str(number % 10**room).zfill(room)
