"""An open hold (a support ticket, a failed payment, a fresh purchase) is no time for a pitch: wait until it closes.

A hold that only a signal closes is looked at again a day later, or at the end of the message's patience. What becomes
of the message meanwhile is the account's wish: :mod:`orchestrator.core.policies.hold_behaviour`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.core.policies.hold_behaviour import as_wished
from orchestrator.core.policies.message_kinds import is_promotion
from orchestrator.core.policies.request import Defer, Drop, OpenHold, PolicyRequest

name = "hold"

LOOK_AGAIN = timedelta(days=1)


def verdict(question: PolicyRequest) -> Defer | Drop | None:
    if not is_promotion(question):
        return None
    holding = [hold for hold in question.holds if _holds(hold, question)]
    if not holding:
        return None
    names = sorted({hold.name for hold in holding})
    endless = any(hold.ends_at is None for hold in holding)
    ends = [hold.ends_at for hold in holding if hold.ends_at is not None]
    if endless:
        ends.append(_next_look(question))
    inputs = {"holds": names, "opened_at": min(hold.opened_at for hold in holding).isoformat()}
    why = f"no pitch now, because of {' and '.join(names)}"
    ending = "until it closes" if endless else f"until {max(ends):%Y-%m-%d %H:%M} UTC at the latest"
    waits = Defer(until=max(ends), policy=name, why=f"{why}; on hold {ending}", inputs=inputs)
    return as_wished(question.when_held, waits, refusal=why)


def _holds(hold: OpenHold, question: PolicyRequest) -> bool:
    lasts = hold.ends_at is None or hold.ends_at > question.now
    return lasts and (not hold.topics or question.topic in hold.topics)


def _next_look(question: PolicyRequest) -> datetime:
    tomorrow = question.now + LOOK_AGAIN
    bounded = question.when_held != "freeze" and question.give_up_at > question.now
    return min(tomorrow, question.give_up_at) if bounded else tomorrow
