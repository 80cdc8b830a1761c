"""Asks the policies about one message: lays the customer's loaded rows out as a question, and keeps the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from channels.table import traits_of
from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import (
    CustomerState,
    EnrollmentWork,
    FreshVerdict,
    MessageRow,
    VerdictRecord,
)
from orchestrator.core.machine.facts import EnrollmentFacts
from orchestrator.core.policies.order import ask
from orchestrator.core.policies.request import Allow, Defer, Drop, HoldOut, OpenHold, PolicyRequest, Verdict
from orchestrator.core.standing_holds import standing_holds
from orchestrator.core.template_values import facts_of
from orchestrator.core.zones import zones_of
from orchestrator.language.model import Ask, Send
from orchestrator.language.outcomes import fallback_of
from orchestrator.records.message import LastVerdict, PolicyMoment, VerdictKind


def ask_policies(
    customer: CustomerState,
    work: EnrollmentWork,
    message: MessageRow,
    catalogue: Catalogue,
    *,
    asked: PolicyMoment,
) -> tuple[str, Verdict]:
    """The channel the message may use and the verdict: the first channel that may speak, else the first that may
    later, else the first refusal. The verdict tells why not by the other channels that were asked about."""
    objections: dict[str, Defer | Drop] = {}
    for channel in _candidates(work, message):
        verdict = ask(_question(customer, work, message, channel, catalogue))
        if isinstance(verdict, Allow | HoldOut):
            return record_verdict(customer, message, channel, _telling(channel, verdict, objections), asked)
        objections.setdefault(channel, verdict)
        capped = isinstance(verdict, Defer) and verdict.policy == "frequency_cap"
        fallback = _fallback(work, message) if capped else None
        if fallback is not None and fallback != channel:
            other = ask(_question(customer, work, message, fallback, catalogue))
            if isinstance(other, Allow | HoldOut):
                return record_verdict(
                    customer, message, fallback, _telling(fallback, other, objections), asked
                )
            objections.setdefault(fallback, other)
    if not objections:
        nothing = Drop(policy="reachable", why="the step names no channel")
        return record_verdict(customer, message, message.channel, nothing, asked)
    chosen, verdict = _of_the_objections(objections)
    return record_verdict(customer, message, chosen, _telling(chosen, verdict, objections), asked)


def _of_the_objections(objections: Mapping[str, Defer | Drop]) -> tuple[str, Defer | Drop]:
    """The first that lets the message wait, until any of the waiting channels may be open; else a refusal that ends
    the enrollment, whatever stood against other channels; else the first."""
    waiting = [(channel, one) for channel, one in objections.items() if isinstance(one, Defer)]
    if waiting:
        chosen, first = waiting[0]
        return chosen, replace(first, until=min(one.until for _, one in waiting))
    ending = (pair for pair in objections.items() if isinstance(pair[1], Drop) and pair[1].cancels)
    return next(ending, next(iter(objections.items())))


def address_for(customer: CustomerState, channel: str) -> tuple[str | None, str | None]:
    """Where ``channel`` reaches the customer, and why that must not be used."""
    traits = traits_of(channel)
    for point in traits.contact_points:
        if point in customer.points:
            return customer.points[point]
    return (customer.key if traits.key_reaches else None), None


def _question(
    customer: CustomerState, work: EnrollmentWork, message: MessageRow, channel: str, catalogue: Catalogue
) -> PolicyRequest:
    policy = catalogue.policy
    guardrails = work.published.playbook.guardrails
    address, invalid = address_for(customer, channel)
    zones = zones_of(customer.timezone, customer.timezone_source, customer.points, policy.default_zone)
    action = work.published.compiled.step(message.step).action
    shadows = message.held_out
    return PolicyRequest(
        now=customer.now,
        channel=channel,
        kind=message.kind,
        topic=message.topic,
        promotional=message.promotional,
        playbook=message.playbook,
        enrollment_id=message.enrollment_id,
        held_out=message.held_out,
        give_up_at=message.give_up_at,
        when_capped="skip" if isinstance(action, Send | Ask) and action.when_capped == "skip" else "defer",
        when_held="freeze" if catalogue.promotion_held else policy.when_held,
        when_resting=policy.when_resting,
        obeys_caps=policy.obeys_caps(message.topic),
        erased=customer.erased,
        goal_met=work.enrollment.state.converted_at is not None,
        reason_gone=work.enrollment.state.end_status == "left",
        address=address,
        address_invalid=invalid,
        last_seen_at=customer.last_seen_at,
        region=customer.region,
        zones=zones.zones,
        zone_source=zones.source,
        consents=tuple(customer.consents),
        cooldowns=tuple([*customer.cooldowns, *customer.shadow_cooldowns] if shadows else customer.cooldowns),
        holds=(*customer.holds, *_standing_holds(customer, work, catalogue), *catalogue.account_holds),
        cap_slots=tuple([*customer.cap_slots, *customer.shadow_slots] if shadows else customer.cap_slots),
        caps=(*policy.caps, *guardrails.caps),
        quiet=(*policy.quiet_hours, *guardrails.quiet_hours),
        needs_consent=frozenset(policy.needs_consent),
        in_app_seen_within_days=policy.reachable_in_app.span.days,
    )


def _standing_holds(customer: CustomerState, work: EnrollmentWork, catalogue: Catalogue) -> list[OpenHold]:
    facts = facts_of(EnrollmentFacts(customer=customer.facts, enrollment=work.enrollment), work.published)
    return standing_holds(catalogue.policy, facts)


def _telling(channel: str, verdict: Verdict, objections: Mapping[str, Defer | Drop]) -> Verdict:
    """The verdict on ``channel`` with what stood against each other one."""
    others = {name: one for name, one in objections.items() if name != channel}
    if not others:
        return verdict
    why = "; ".join([verdict.why, *(f"not by {name}: {one.why}" for name, one in others.items())])
    told = [{"channel": name, "policy": one.policy, "why": one.why} for name, one in others.items()]
    return replace(verdict, why=why, inputs={**verdict.inputs, "others": told})


def _candidates(work: EnrollmentWork, message: MessageRow) -> Sequence[str]:
    return message.channels or (message.channel,)


def _fallback(work: EnrollmentWork, message: MessageRow) -> str | None:
    return fallback_of(work.published.compiled.step(message.step).action)


def record_verdict(
    customer: CustomerState, message: MessageRow, channel: str, verdict: Verdict, asked: PolicyMoment
) -> tuple[str, Verdict]:
    """Keep what was answered. A repeat only counts up, whatever its instant to ask again: what waits for something to
    close is put off day by day, unchanged."""
    before = message.last_verdict
    said = LastVerdict(
        asked=asked,
        channel=channel,
        policy=verdict.policy,
        verdict=_kind_of(verdict),
        until=verdict.until if isinstance(verdict, Defer) else None,
        why=verdict.why,
    )
    record = VerdictRecord(
        message=message,
        said=said,
        inputs=verdict.inputs,
        repeat=before is not None and replace(before, until=said.until) == said,
    )
    customer.verdicts.append(record)
    message.last_verdict = said
    message.fresh_verdict = FreshVerdict(
        record=record, verdict=verdict, channel=channel, changes=customer.changes
    )
    return channel, verdict


def still_fresh(customer: CustomerState, message: MessageRow) -> Verdict | None:
    """What was answered when the message was planned in this transaction, if nothing has happened to the customer
    since: one answer is then good for both askings."""
    fresh = message.fresh_verdict
    if fresh is None or fresh.changes != customer.changes:
        return None
    return fresh.verdict


def good_for_both(message: MessageRow) -> None:
    """Keep the answer given at the planning as that of the hand-over too, which follows in the same transaction."""
    fresh = message.fresh_verdict
    if fresh is not None and fresh.record.said.asked == "planned":
        message.last_verdict = fresh.record.said = replace(fresh.record.said, asked="both")


def _kind_of(verdict: Verdict) -> VerdictKind:
    match verdict:
        case Allow():
            return "allow"
        case Defer():
            return "defer"
        case Drop():
            return "drop"
        case HoldOut():
            return "hold_out"
        case _:
            assert_never(verdict)
