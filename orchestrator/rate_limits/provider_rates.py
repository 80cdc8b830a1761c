"""The rates that providers agreed to: how they are written in the settings, and the tokens they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.rate_limits.limiter import Limiter
from orchestrator.rate_limits.windows import Granted, Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRate:
    """How many messages a provider is given."""

    provider: str
    rate: Rate


class ProviderRates:
    """The rates of providers: an :class:`orchestrator.service.delivery.provider_gates.Rates`."""

    def __init__(self, rates: Iterable[ProviderRate], limiter: Limiter) -> None:
        self._rates: Mapping[str, Rate] = {one.provider: one.rate for one in rates}
        self._limiter = limiter

    def __contains__(self, provider: str) -> bool:
        return provider in self._rates

    def take(self, provider: str, wanted: int) -> Granted:
        return self._limiter.take(self._rates[provider], f"provider/{provider}", wanted)


def parse_provider_rates(text: str) -> tuple[ProviderRate, ...]:
    """Read ``provider=100/second``, several separated by commas; all that is wrong in one ValueError."""
    found: list[ProviderRate] = []
    problems: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        provider, _, written = (side.strip() for side in part.partition("="))
        rate = _parse_rate(written) if provider else None
        if rate is None:
            problems.append(
                f"{part!r}: expected provider=amount/second, minute, hour or day, such as twilio=10/second or"
                " twilio=30/2 minutes"
            )
        elif any(one.provider == provider for one in found):
            problems.append(f"{provider!r} is named twice; a provider has one rate")
        else:
            found.append(ProviderRate(provider=provider, rate=rate))
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found)


def _parse_rate(text: str) -> Rate | None:
    from limits import parse_many  # noqa: PLC0415 - a tenth of a second, for those alone who set rates

    try:
        (item,) = parse_many(text)
    except ValueError:
        return None
    return Rate(amount=item.amount, seconds=item.get_expiry()) if item.amount else None
