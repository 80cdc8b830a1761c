"""At most so many messages in a rolling window; every cap that counts this message must have room."""

from __future__ import annotations

from orchestrator.core.caps import counted, describe, room_at, rules_for
from orchestrator.core.policies.message_kinds import is_to_customer
from orchestrator.core.policies.request import Defer, Drop, PolicyRequest

name = "frequency_cap"


def verdict(question: PolicyRequest) -> Defer | Drop | None:
    obeys = question.promotional if question.obeys_caps is None else question.obeys_caps
    if not (obeys and is_to_customer(question)):
        return None
    full = [
        (cap, room_at(question.now, question.cap_slots, cap))
        for cap in rules_for(question.channel, question.topic, question.caps)
    ]
    full = [(cap, room) for cap, room in full if room != question.now]
    if not full:
        return None
    never = [cap for cap, room in full if room is None]
    rooms = [(room, cap) for cap, room in full if room is not None]
    latest, fired = (None, never[0]) if never else max(rooms, key=lambda pair: pair[0])
    rule = describe(fired)
    taken = len(counted(question.now, question.cap_slots, fired))
    inputs = {"rule": rule, "taken": taken, "rules": [describe(cap) for cap, _ in full]}
    if latest is None:
        return Drop(policy=name, why=f"the cap of {rule} never leaves room", inputs=inputs)
    inputs["room_at"] = latest.isoformat()
    if question.when_capped == "skip":
        why = f"the cap of {rule} is full ({taken} sent), and this step is skipped when capped"
        return Drop(policy=name, why=why, inputs=inputs)
    why = f"the cap of {rule} is full ({taken} sent); there is room again at {latest:%Y-%m-%d %H:%M} UTC"
    return Defer(until=latest, policy=name, why=why, inputs=inputs)
