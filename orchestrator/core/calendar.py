"""Calendar entries: which events lie ahead of a customer, each as the context of an enrollment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from orchestrator.core.customer_state import CustomerState
from orchestrator.language.account.calendar import Calendars, OwnDates
from orchestrator.language.conditions.values import as_time, local_day
from orchestrator.language.model import Enter


def events_ahead(customer: CustomerState, enter: Enter, calendars: Calendars) -> Iterator[Mapping[str, Any]]:
    """The events of ``enter.calendar`` that begin within ``enter.ahead`` of the customer's own today, soonest first.

    Each is a context: ``event_key``, ``event_name``, ``event_starts`` and ``event_ends`` (ISO dates).
    """
    today = local_day(customer.now, customer.facts.zone)
    if today is None:
        return
    last = today + (enter.ahead.span if enter.ahead is not None else timedelta(0))
    found: list[tuple[date, str, str, date]] = []
    for name in enter.calendar:
        entry = calendars.named.get(name)
        if isinstance(entry, OwnDates):
            starts, ends = _day(customer, entry.starts), _day(customer, entry.ends)
            if starts is not None:
                found.append((starts, f"{name}:{starts}", entry.name, ends or starts))
        elif entry is not None:
            found.extend((row.starts, row.key, row.name, row.ends) for row in entry)
    for starts, key, title, ends in sorted(found):
        if today <= starts <= last:
            yield {
                "event_key": key,
                "event_name": title,
                "event_starts": starts.isoformat(),
                "event_ends": ends.isoformat(),
            }


def may_lie_ahead(enter: Enter, calendars: Calendars, now: datetime) -> bool:
    """Whether anybody at all can have an event of ``enter.calendar`` ahead: false lets a scan pass over everybody.

    A day is added at both ends, because the customers' own today is up to a day off.
    """
    today = now.date()
    first = today - timedelta(days=1)
    last = today + timedelta(days=1) + (enter.ahead.span if enter.ahead is not None else timedelta(0))
    for name in enter.calendar:
        entry = calendars.named.get(name)
        if isinstance(entry, OwnDates) or any(first <= row.starts <= last for row in entry or ()):
            return True
    return False


def _day(customer: CustomerState, attribute: str) -> date | None:
    value = as_time(customer.facts.value(attribute))
    if value is None:
        return None
    return value if type(value) is date else local_day(value, customer.facts.zone)  # type: ignore[arg-type]
