"""Who may begin a playbook, and how: the checks of a start, and the conditions of a trigger before it.

A start by the product asks re-entry, consent, cooldown and context. A trigger asks ``enter.if`` first. A refusal is
kept with its reason, except "the condition does not hold", which is no refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.catalogue import Catalogue, PublishedPlaybook
from orchestrator.core.consent.scope import in_force
from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.machine.enrollment import EnrollmentSnapshot
from orchestrator.core.machine.experiment import in_holdout
from orchestrator.core.machine.facts import EnrollmentFacts
from orchestrator.core.machine.json_values import as_json_value
from orchestrator.core.template_values import facts_of
from orchestrator.language.conditions.evaluate import holds, matches, reason
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.conditions.values import as_number, as_time
from orchestrator.language.model import Ask, Playbook, Send
from orchestrator.language.outcomes import channels_of
from orchestrator.records.enrollment import StartRefusalReason

LONGEST_REENTRY_KEY = 200  # characters: a key of an index, as customers' and callers' keys are


@dataclass(frozen=True, kw_only=True, slots=True)
class StartRefusal:
    """Why a start was refused. ``why`` is a sentence."""

    reason: StartRefusalReason
    why: str


def triggered(
    customer: CustomerState,
    published: PublishedPlaybook,
    context: Mapping[str, Any],
    event: SignalOccurrence | None = None,
) -> tuple[bool, str | None]:
    """Whether ``event`` (None: a scan) is one that starts the playbook and ``enter.if`` holds for the customer, and
    the ``because`` of the first true way."""
    enter = published.playbook.enter
    facts = facts_of(
        EnrollmentFacts(customer=customer.facts, enrollment=_candidate(customer, published, context)),
        published,
    )
    signals = {signal.name: signal for signal in published.playbook.signals}
    if event is not None and not any(
        matches(signals[name], event, facts) if name in signals else name == event.name for name in enter.when
    ):
        return False, None
    if enter.if_ is None:
        return True, enter.because
    if not holds(enter.if_, facts, signals=signals, day_starts=customer.facts.day_starts):
        return False, None
    because = reason(enter.if_, facts, signals=signals, day_starts=customer.facts.day_starts)
    return True, because or enter.because


def context_of_trigger(playbook: Playbook, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties a playbook declares as its context; a trigger may carry more than one playbook wants."""
    declared = {name for name, _ in playbook.context} | _calendar_names(playbook)
    return {name: value for name, value in properties.items() if name in declared}


def refusal_of(
    customer: CustomerState, published: PublishedPlaybook, catalogue: Catalogue, context: Mapping[str, Any]
) -> StartRefusal | None:
    """Why this start must not happen now, or None."""
    playbook = published.playbook
    if customer.erased:
        return StartRefusal(reason="erased", why="the person asked to be forgotten")
    if playbook.name in catalogue.paused:
        return StartRefusal(reason="paused", why=f"playbook '{playbook.name}' is paused")
    wrong = context_problems(playbook, context)
    if wrong:
        return StartRefusal(reason="context", why="; ".join(wrong))
    return (
        _reentry(customer, playbook, reentry_key_of(playbook, context))
        or _opted_out(customer, playbook, catalogue)
        or _resting(customer, playbook, catalogue, shadows=is_held_out(customer, playbook, catalogue))
    )


def context_problems(playbook: Playbook, context: Mapping[str, Any]) -> list[str]:
    """What is undeclared, missing or of another type, all of it."""
    declared = dict(playbook.context)
    known = {*declared, *_calendar_names(playbook)}
    wrong = [
        f"context has no '{name}'; declared are {', '.join(sorted(known)) or 'none'}"
        for name in context
        if name not in known
    ]
    per = playbook.enter.reentry.per
    if per is not None and per not in declared and context.get(per) is None:
        wrong.append(f"context needs '{per}': it tells one run from another")
    length = len(reentry_key_of(playbook, context))
    if length > LONGEST_REENTRY_KEY:
        wrong.append(
            f"context '{per}' tells one run from another: "
            f"expected at most {LONGEST_REENTRY_KEY} characters, got {length}"
        )
    for name, kind in declared.items():
        if context.get(name) is None:
            wrong.append(f"context needs '{name}' ({kind})")
        elif not _is_a(kind, context[name]):
            wrong.append(f"context '{name}' should be {kind}, got {type(context[name]).__name__}")
    return wrong


def reentry_key_of(playbook: Playbook, context: Mapping[str, Any]) -> str:
    per = playbook.enter.reentry.per
    return str(context.get(per, "")) if per is not None else ""


def new_enrollment(
    customer: CustomerState,
    published: PublishedPlaybook,
    catalogue: Catalogue,
    *,
    enrollment_id: int,
    context: Mapping[str, Any],
    trigger: str,
    because: str | None,
    start_key: str | None,
) -> EnrollmentWork:
    """An enrollment at its entry, holdout decided: not yet in any step."""
    playbook = published.playbook
    enrollment = EnrollmentSnapshot(
        customer_id=customer.customer_id,
        enrollment_id=enrollment_id,
        playbook_id=published.id,
        playbook=playbook.name,
        subject=_subject(customer, playbook),
        entered_at=customer.now,
        held_out=is_held_out(customer, playbook, catalogue),
        reentry_key=reentry_key_of(playbook, context),
        trigger=trigger,
        because=because or playbook.enter.because,
        context={name: as_json_value(value) for name, value in context.items()},
    )
    return EnrollmentWork(
        enrollment=enrollment, published=published, rev=0, seq=0, start_key=start_key, new=True
    )


def is_held_out(customer: CustomerState, playbook: Playbook, catalogue: Catalogue) -> bool:
    """Whether an enrollment of this playbook goes its way in silence: by the playbook's own share or the account's."""
    subject = _subject(customer, playbook)
    return in_holdout(subject, playbook.name, playbook.holdout) or in_holdout(
        subject, "*", catalogue.policy.holdout
    )


def is_known(customer: CustomerState, playbook: Playbook, context: Mapping[str, Any]) -> bool:
    """Whether re-entry alone refuses this start: it is under way, or was had and may not be had again yet."""
    return _reentry(customer, playbook, reentry_key_of(playbook, context)) is not None


def live_enrollment(customer: CustomerState, playbook: str, reentry_key: str) -> EnrollmentWork | None:
    """The customer's live enrollment of this playbook and key."""
    for work in customer.enrollments.values():
        enrollment = work.enrollment
        if (
            enrollment.state.live
            and enrollment.playbook == playbook
            and enrollment.reentry_key == reentry_key
        ):
            return work
    return None


def _reentry(customer: CustomerState, playbook: Playbook, reentry_key: str) -> StartRefusal | None:
    waiting = {(one.playbook, one.reentry_key) for one in customer.waiting.values()}
    under_way = live_enrollment(customer, playbook.name, reentry_key) is not None
    if under_way or (playbook.name, reentry_key) in waiting:
        return StartRefusal(reason="already_live", why=f"a run of '{playbook.name}' is under way")
    rule = playbook.enter.reentry
    ended = [(past.playbook, past.reentry_key, past.any_sent, past.ended_at) for past in customer.past]
    ended += [  # those that ended in this very batch are not in the past yet
        (enrollment.playbook, enrollment.reentry_key, enrollment.state.any_sent, enrollment.state.ended_at)
        for enrollment in (work.enrollment for work in customer.enrollments.values())
        if enrollment.state.ended_at is not None
    ]
    used = [
        at for name, key, any_sent, at in ended if any_sent and (name, key) == (playbook.name, reentry_key)
    ]
    if not used:
        return None
    if rule.after is None:
        which = f"for this {rule.per}" if rule.per else "ever"
        return StartRefusal(reason="reentry", why=f"a run was had before, and only one is allowed {which}")
    again = max(used) + rule.after.span
    if again > customer.now:
        return StartRefusal(
            reason="reentry", why=f"may enter again {rule.after} after the last end: {again:%F %R} UTC"
        )
    return None


def _opted_out(customer: CustomerState, playbook: Playbook, catalogue: Catalogue) -> StartRefusal | None:
    if not catalogue.policy.promotional(playbook.topic):
        return None
    channels: set[str] = set()
    for step in playbook.steps:
        if isinstance(step.action, Send | Ask):
            channels.update(channels_of(step.action))
    for channel in sorted(channels):
        row = in_force(customer.consents, channel, playbook.topic, customer.now)
        if row is None or row.granted:
            return None
    if not channels:  # it speaks to colleagues alone: only a withdrawal for every channel concerns it
        row = in_force(customer.consents, "*", playbook.topic, customer.now)
        if row is None or row.granted:
            return None
    return StartRefusal(
        reason="opted_out", why=f"the customer opted out of '{playbook.topic}' on every channel of it"
    )


def _resting(
    customer: CustomerState, playbook: Playbook, catalogue: Catalogue, *, shadows: bool
) -> StartRefusal | None:
    """A rest in force. Rests of the holdout (``shadows``) hold those alone who would be held out again."""
    if not catalogue.policy.promotional(playbook.topic):
        return None
    values = {"everything": "*", "topic": playbook.topic, "playbook": playbook.name}
    for rest in [*customer.cooldowns, *(customer.shadow_cooldowns if shadows else ())]:
        if rest.ends_at > customer.now and rest.scope_value == values.get(rest.scope):
            return StartRefusal(
                reason="cooldown", why=f"the customer rests until {rest.ends_at:%F %R} UTC: {rest.reason}"
            )
    return None


def _candidate(
    customer: CustomerState, published: PublishedPlaybook, context: Mapping[str, Any]
) -> EnrollmentSnapshot:
    return EnrollmentSnapshot(
        customer_id=customer.customer_id,
        enrollment_id=0,
        playbook_id=published.id,
        playbook=published.name,
        subject=_subject(customer, published.playbook),
        entered_at=customer.now,
        held_out=False,
        context=context,
    )


def _subject(customer: CustomerState, playbook: Playbook) -> str:
    """What holdout and variants hash: the account where enrollments are one per account, else the customer."""
    return (customer.facts.account_key if playbook.enter.one_per else None) or customer.key


def _calendar_names(playbook: Playbook) -> frozenset[str]:
    """What a calendar tells each enrollment besides the declared context."""
    return _CALENDAR_NAMES if playbook.enter.calendar else frozenset()


def _is_a(kind: str, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "number" | "money" | "percent":
            return as_number(value) is not None
        case "date" | "time":
            return as_time(value) is not None
        case "list":
            return isinstance(value, list | tuple)
        case _:
            return True


_CALENDAR_NAMES = frozenset({"event_key", "event_name", "event_starts", "event_ends"})
