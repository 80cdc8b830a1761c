"""Holds that a signal opens or closes."""

from __future__ import annotations

from datetime import datetime

from orchestrator.core.customer_state import CustomerState
from orchestrator.core.policies.request import OpenHold
from orchestrator.records.cooldown import HoldRow
from orchestrator.service.context import Batch
from orchestrator.service.messages.recheck import recheck


def open_and_close_holds(customer: CustomerState, signal: str, occurred_at: datetime, batch: Batch) -> None:
    """As the account's rules say; messages that waited for a hold that is closed are asked about again."""
    for rule in batch.catalogue.policy.holds:
        open_now = next((hold for hold in customer.holds if hold.name == rule.name), None)
        if signal in rule.closed_by and open_now is not None:
            customer.holds.remove(open_now)
            customer.closed_holds.append(rule.name)
            recheck(customer, "hold")
        if signal in rule.opened_by and (open_now is None or signal not in rule.closed_by):
            ends_at = occurred_at + rule.longest.span if rule.longest is not None else None
            if ends_at is not None and (ends_at <= batch.now or _outlasts(open_now, ends_at)):
                continue
            if open_now is not None and open_now in customer.holds:
                customer.holds.remove(open_now)
                customer.closed_holds.append(rule.name)
            customer.holds.append(
                OpenHold(
                    name=rule.name, opened_at=occurred_at, ends_at=ends_at, topics=frozenset(rule.topics)
                )
            )
            customer.new_holds.append(
                HoldRow(
                    customer_id=customer.customer_id, name=rule.name, opened_at=occurred_at, ends_at=ends_at
                )
            )


def _outlasts(hold: OpenHold | None, ends_at: datetime) -> bool:
    """Whether the open hold ends later anyway: a signal that is heard of late makes none shorter."""
    return hold is not None and hold.ends_at is not None and hold.ends_at >= ends_at
