"""Whose law a customer's region falls under."""

from __future__ import annotations

EEA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""The members of the European Economic Area by their ISO 3166 code: one law of data protection and ePrivacy."""


def country_of(region: str | None) -> str:
    """The ISO 3166 code of a region such as ``US-CA`` or ``UK``; empty for an unknown one."""
    country = (region or "").split("-")[0].upper()
    return "GB" if country == "UK" else country


def jurisdiction_of(region: str | None) -> str | None:
    """``EU`` for the members of the EEA, else the country; None when it is unknown."""
    country = country_of(region)
    if country in EEA:
        return "EU"
    return country if len(country) == 2 and country.isalpha() else None
