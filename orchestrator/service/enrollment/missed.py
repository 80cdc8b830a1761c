"""What a waiting enrollment does not hear: kept with it, and applied in order when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeAlias

from orchestrator.core.customer_state import CustomerState
from orchestrator.core.machine.events import (
    ConsentWithdrawn,
    DeliveryOutcome,
    FactsChanged,
    Responded,
    Settled,
    Signalled,
    Stopped,
)
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.event_queue import apply_event

MissedEvent: TypeAlias = ConsentWithdrawn | Responded | Settled | Signalled | Stopped
_KINDS = {kind.__name__: kind for kind in (ConsentWithdrawn, Responded, Settled, Signalled, Stopped)}
_INSTANTS = ("at", "occurred_at")


def miss(customer: CustomerState, enrollment_id: int, event: object) -> None:
    """Keep ``event`` for an enrollment if it is one that waits; that facts have changed it finds out anyway."""
    waiting = customer.waiting.get(enrollment_id)
    if waiting is not None and isinstance(event, MissedEvent):
        waiting.missed.append(_plain(event))


def all_miss(customer: CustomerState, event: object) -> None:
    """Keep ``event`` for every enrollment of the customer that waits."""
    for enrollment_id in customer.waiting:
        miss(customer, enrollment_id, event)


def apply_missed(customer: CustomerState, batch: Batch) -> None:
    """What enrollments that go on again did not hear, each in the order it came, before anything newer."""
    for work in list(customer.enrollments.values()):
        if not work.missed:
            continue
        missed, work.missed, work.caught_up = work.missed, (), True
        work.changed = True
        for plain in missed:
            apply_event(customer, work, _event(plain), batch)
        apply_event(customer, work, FactsChanged(), batch)


def _plain(event: MissedEvent) -> dict[str, Any]:
    values = {name: value for name, value in asdict(event).items() if value is not None}
    for name in _INSTANTS:
        if name in values:
            values[name] = values[name].isoformat()
    return {"event": type(event).__name__, **values}


def _event(plain: Mapping[str, Any]) -> MissedEvent:
    values = {name: value for name, value in plain.items() if name != "event"}
    for name in _INSTANTS:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    if plain["event"] == "Settled":
        values["outcome"] = DeliveryOutcome(values["outcome"])
    return _KINDS[plain["event"]](**values)
