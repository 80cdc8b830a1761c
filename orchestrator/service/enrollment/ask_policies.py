"""Asks the policies about one message: lays the customer's loaded rows out as a question, and keeps the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.consent.scope import in_force
from orchestrator.core.customer_state import MessageRow, Verdictum, Walker, Work
from orchestrator.core.machine.facts import RunFacts
from orchestrator.core.policies.order import ask
from orchestrator.core.policies.request import Allow, Defer, Drop, HoldOut, OpenHold, Question, Verdict
from orchestrator.core.standing_holds import standing_holds
from orchestrator.core.template_values import facts_of
from orchestrator.core.zones import zones_of
from orchestrator.language.model import Ask, Send

Asked = Literal["planned", "hand_over"]

# Regions where an open or a click may be tracked only with the person's own consent (ePrivacy Art. 5(3), UK PECR).
_EEA_AND_NEIGHBOURS = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK EU CH GB UK"
)
TRACKING_NEEDS_CONSENT = frozenset(_EEA_AND_NEIGHBOURS.split(" "))


def judge_message(
    work: Work, walker: Walker, message: MessageRow, catalogue: Catalogue, *, asked: Asked
) -> tuple[str, Verdict]:
    """The channel the message may use and the verdict: the first channel that may speak, else the first that may
    later, else the first refusal. The verdict tells why not by the other channels that were asked about."""
    objections: dict[str, Defer | Drop] = {}
    for channel in _candidates(walker, message):
        verdict = ask(_question(work, walker, message, channel, catalogue))
        if isinstance(verdict, Allow | HoldOut):
            return kept(work, message, channel, _telling(channel, verdict, objections), asked)
        objections.setdefault(channel, verdict)
        capped = isinstance(verdict, Defer) and verdict.policy == "frequency_cap"
        fallback = _fallback(walker, message) if capped else None
        if fallback is not None and fallback != channel:
            other = ask(_question(work, walker, message, fallback, catalogue))
            if isinstance(other, Allow | HoldOut):
                return kept(work, message, fallback, _telling(fallback, other, objections), asked)
            objections.setdefault(fallback, other)
    if not objections:
        nothing = Drop(policy="reachable", why="the step names no channel")
        return kept(work, message, message.channel, nothing, asked)
    chosen, verdict = _of_the_objections(objections)
    return kept(work, message, chosen, _telling(chosen, verdict, objections), asked)


def _of_the_objections(objections: Mapping[str, Defer | Drop]) -> tuple[str, Defer | Drop]:
    """The first that lets the message wait, until any of the waiting channels may be open; else a refusal that ends
    the walk, whatever stood against other channels; else the first."""
    waiting = [(channel, one) for channel, one in objections.items() if isinstance(one, Defer)]
    if waiting:
        chosen, first = waiting[0]
        return chosen, replace(first, until=min(one.until for _, one in waiting))
    ending = (pair for pair in objections.items() if isinstance(pair[1], Drop) and pair[1].cancels)
    return next(ending, next(iter(objections.items())))


def may_track(work: Work, channel: str) -> bool:
    """Whether this person's opens and clicks may be looked at: ``tracking`` is a purpose of its own."""
    row = in_force(work.consents, channel, "tracking", work.now)
    if row is not None:
        return row.granted
    return (work.region or "").split("-")[0].upper() not in TRACKING_NEEDS_CONSENT


def address_for(work: Work, channel: str) -> tuple[str | None, str | None]:
    """Where ``channel`` reaches the customer, and why that must not be used."""
    nowhere: tuple[str | None, str | None] = (None, None)
    match channel:
        case "email" | "sms":
            return work.points.get(channel, nowhere)
        case "whatsapp":
            return work.points.get("whatsapp", work.points.get("sms", nowhere))
        case "chat":
            return work.points.get("chat", (work.key, None))
        case _:
            return work.key, None


def _question(
    work: Work, walker: Walker, message: MessageRow, channel: str, catalogue: Catalogue
) -> Question:
    policy = catalogue.policy
    guardrails = walker.published.playbook.guardrails
    address, invalid = address_for(work, channel)
    zones = zones_of(work.timezone, work.timezone_source, work.points, policy.default_zone)
    action = walker.published.compiled.step(message.step).action
    shadows = message.held_out
    return Question(
        now=work.now,
        channel=channel,
        kind=cast(Literal["send", "ask", "handoff", "call"], message.kind),
        topic=message.topic,
        promotional=message.promotional,
        playbook=message.playbook,
        enrollment_id=message.enrollment_id,
        held_out=message.held_out,
        give_up_at=message.give_up_at,
        when_capped=action.when_capped if isinstance(action, Send | Ask) else "defer",
        when_held=policy.when_held,
        when_resting=policy.when_resting,
        obeys_caps=policy.obeys_caps(message.topic),
        erased=work.erased,
        goal_met=walker.run.state.converted_at is not None,
        reason_gone=walker.run.state.end_word == "left",
        address=address,
        address_invalid=invalid,
        last_seen_at=work.last_seen_at,
        region=work.region,
        zones=zones.zones,
        zone_source=zones.source,
        consents=tuple(work.consents),
        rests=tuple([*work.rests, *work.shadow_rests] if shadows else work.rests),
        holds=(*work.holds, *_standing_holds(work, walker, catalogue)),
        places=tuple([*work.places, *work.shadow_places] if shadows else work.places),
        caps=(*policy.caps, *guardrails.caps),
        quiet=(*policy.quiet_hours, *guardrails.quiet_hours),
        needs_consent=frozenset(policy.needs_consent),
        in_app_seen_within_days=policy.reachable_in_app.span.days,
    )


def _standing_holds(work: Work, walker: Walker, catalogue: Catalogue) -> list[OpenHold]:
    facts = facts_of(RunFacts(customer=work.facts, run=walker.run), walker.published)
    return standing_holds(catalogue.policy, facts)


def _telling(channel: str, verdict: Verdict, objections: Mapping[str, Defer | Drop]) -> Verdict:
    """The verdict on ``channel`` with what stood against each other one."""
    others = {name: one for name, one in objections.items() if name != channel}
    if not others:
        return verdict
    why = "; ".join([verdict.why, *(f"not by {name}: {one.why}" for name, one in others.items())])
    told = [{"channel": name, "policy": one.policy, "why": one.why} for name, one in others.items()]
    return replace(verdict, why=why, inputs={**verdict.inputs, "others": told})


def _candidates(walker: Walker, message: MessageRow) -> Sequence[str]:
    return message.channels or (message.channel,)


def _fallback(walker: Walker, message: MessageRow) -> str | None:
    action = walker.published.compiled.step(message.step).action
    return action.fallback if isinstance(action, Send | Ask) else None


def kept(
    work: Work, message: MessageRow, channel: str, verdict: Verdict, asked: Asked
) -> tuple[str, Verdict]:
    word = {Allow: "allow", Defer: "defer", Drop: "drop", HoldOut: "hold_out"}[type(verdict)]
    until = verdict.until if isinstance(verdict, Defer) else None
    said = (asked, channel, verdict.policy, word, until, verdict.why)
    repeat = message.last_verdict is not None and _but_until(message.last_verdict) == _but_until(said)
    message.last_verdict = said
    work.verdicts.append(
        Verdictum(
            message=message,
            asked=asked,
            channel=channel,
            policy=verdict.policy,
            verdict=word,
            until=until,
            why=verdict.why,
            inputs=verdict.inputs,
            repeat=repeat,
        )
    )
    return channel, verdict


def _but_until(said: tuple[Any, ...]) -> tuple[Any, ...]:
    """A verdict without the instant to ask again: waiting for something to close is put off day by day, unchanged."""
    return (*said[:4], *said[5:])
