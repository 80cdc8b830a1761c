"""Whether an in-app message may be seen at this moment.

It reached the feed when every policy allowed it. What came since, an opt-out, a hold or a rest, hides it until that
ends: nothing is written down, so it is back in the same instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.core.policies import cooldown, hold, opted_out
from orchestrator.core.policies import order as policy
from orchestrator.core.policies.request import ActiveCooldown, Allow, OpenHold, PolicyRequest
from orchestrator.records.consent import Consent
from orchestrator.records.feed import FeedItem

ASKED_AGAIN = (opted_out, hold, cooldown)


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """What may stand between a customer and the feed. ``facts`` are there when a hold stands on a condition."""

    consents: Sequence[Consent]
    cooldowns: Sequence[ActiveCooldown]
    holds: Sequence[OpenHold]
    facts: CustomerFacts | None = None


def may_be_seen(item: FeedItem, guards: Guards, standing: Sequence[OpenHold], now: datetime) -> bool:
    """``standing`` are the holds on conditions, as the item's own version of the playbook reads them."""
    question = PolicyRequest(
        now=now,
        channel="in_app",
        kind=item.kind,
        topic=item.topic,
        promotional=item.promotional,
        playbook=item.playbook,
        enrollment_id=item.enrollment_id,
        held_out=False,
        give_up_at=now,
        consents=tuple(guards.consents),
        cooldowns=tuple(guards.cooldowns),
        holds=(*guards.holds, *standing),
    )
    return isinstance(policy.ask(question, ASKED_AGAIN), Allow)
