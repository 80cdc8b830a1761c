"""Carries out what a decision wants done, on the work bench: each command of ``decide`` has its verb here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from channels.table import traits_of
from orchestrator.core.catalogue import PublishedPlaybook
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.machine.commands import (
    BeginCooldown,
    Command,
    LiftCooldown,
    PlanMessage,
    RecordConversion,
    SetTraits,
    StartEnrollment,
    WithdrawMessage,
)
from orchestrator.core.machine.events import (
    DeliveryOutcome,
    FactsChanged,
    Frozen,
    Responded,
    Settled,
    Stopped,
)
from orchestrator.core.machine.reasons import PATIENCE_OVER
from orchestrator.core.policies.request import ActiveCooldown as StandingRest
from orchestrator.core.policies.request import Allow, Defer, Drop, HoldOut, OpenHold, Verdict
from orchestrator.language.model import Ask, Call, Cooldown, Handoff, Send
from orchestrator.service.enrollment.ask_policies import ask_policies
from orchestrator.service.enrollment.recheck import profile_changed, recheck

if TYPE_CHECKING:
    from orchestrator.service.enrollment.apply_events import Batch

_NOT_GOT = frozenset({"bounced", "failed", "not_sent"})  # nobody ignores what did not reach her
# Outcomes that are an answer: somebody who gave one did not ignore us.
_ANSWERS = frozenset({"clicked", "replied", "answered", "dismissed", "negative", "closed", "met"})


def carry_out(
    batch: Batch, customer: CustomerState, work: EnrollmentWork, commands: Sequence[Command]
) -> None:
    for command in commands:
        match command:
            case PlanMessage():
                _plan(batch, customer, work, command)
            case WithdrawMessage():
                _withdraw(customer, work, command)
            case BeginCooldown():
                _cooldown(customer, work, command, "cooldown")
            case LiftCooldown():
                _lift(customer, work, command.visit)
            case SetTraits():
                _set_traits(batch, customer, work, command)
            case StartEnrollment():
                _begin(customer, work, command)
            case RecordConversion():
                _convert(batch, customer, work, command)
            case _:
                assert_never(command)


def ended(batch: Batch, customer: CustomerState, work: EnrollmentWork) -> None:
    """A run came to its end: what is known of it, and the rest of those who ignored everything."""
    enrollment = work.enrollment
    if not any(
        other.enrollment.state.live and other.enrollment.playbook == enrollment.playbook
        for other in customer.enrollments.values()
    ):
        customer.facts.playbooks[enrollment.playbook] = "ended"
    rest = batch.catalogue.policy.ignored_cooldown.span
    if rest and _was_ignored(batch, work):
        wanted = BeginCooldown(
            visit=enrollment.state.visit, scope="everything", scope_value="*", until=batch.now + rest
        )
        _cooldown(customer, work, wanted, "ignored")


def _was_ignored(batch: Batch, work: EnrollmentWork) -> bool:
    state = work.enrollment.state
    compiled = work.published.compiled
    rested = any(isinstance(compiled.step(step).action, Cooldown) for step in state.visits)
    return (
        state.any_sent
        and not rested
        and state.converted_at is None
        and state.end_status not in ("opted_out", "erased", "left", "stopped")
        and batch.catalogue.policy.promotional(work.published.playbook.topic)
        and not _ANSWERS & set(state.outcomes.values())
        and any(state.outcomes.get(step) not in _NOT_GOT for step in state.channels)
    )


def open_and_close_holds(batch: Batch, customer: CustomerState, signal: str, occurred_at: datetime) -> None:
    """Holds that this signal opens or closes."""
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
                {
                    "customer_id": customer.customer_id,
                    "name": rule.name,
                    "opened_at": occurred_at,
                    "ends_at": ends_at,
                }
            )


def _outlasts(hold: OpenHold | None, ends_at: datetime) -> bool:
    """Whether the open hold ends later anyway: a signal that is heard of late makes none shorter."""
    return hold is not None and hold.ends_at is not None and hold.ends_at >= ends_at


def preferred_member(customer: CustomerState, roles: Sequence[str]) -> int | None:
    """The one member of the account who is spoken to: the first of the preferred roles, the oldest of that role."""
    for role in roles:
        for member in customer.members:
            if role in ("*", member.role):
                return int(member.id)
    return None


def take_to_a_person(
    batch: Batch, customer: CustomerState, work: EnrollmentWork | None, message: MessageRow, heard: Responded
) -> None:
    """A negative answer goes to support with its context, unless the playbook itself has just handed it over."""
    name = batch.catalogue.policy.negative_starts
    if name is None or name not in batch.catalogue.newest or not _is_negative(batch, message, heard):
        return
    if work is not None and work.enrollment.state.live:
        compiled = work.published.compiled
        if isinstance(compiled.step(work.enrollment.state.step).action, Handoff):
            return
    context = {
        "from_playbook": message.playbook,
        "from_step": message.step,
        "said": heard.detail or heard.outcome,
    }
    batch.start(customer, name, context=context, trigger="negative_answer")


def _is_negative(batch: Batch, message: MessageRow, heard: Responded) -> bool:
    if heard.outcome == "negative":
        return True
    published = batch.catalogue.versions.get(message.playbook_id)
    if published is None or heard.outcome != "answered" or heard.detail is None:
        return False
    action = published.compiled.step(message.step).action
    return isinstance(action, Ask) and heard.detail in action.negative


# --- messages -------------------------------------------------------------------------------------------------------


def _plan(batch: Batch, customer: CustomerState, work: EnrollmentWork, command: PlanMessage) -> None:
    enrollment = work.enrollment
    playbook = work.published.playbook
    action = work.published.compiled.step(command.step).action
    kind, channels = _kind_and_channels(customer, work.published, action)
    message = MessageRow(
        customer_id=customer.customer_id,
        enrollment_id=enrollment.enrollment_id,
        playbook_id=enrollment.playbook_id,
        playbook=enrollment.playbook,
        step=command.step,
        visit=command.visit,
        kind=kind,
        channels=channels,
        channel=channels[0],
        topic=playbook.topic,
        promotional=batch.catalogue.policy.promotional(playbook.topic),
        priority=playbook.priority,
        held_out=enrollment.held_out,
        planned_at=batch.now,
        give_up_at=command.give_up_at,
        provider=batch.provider_of(channels[0]),
        due_at=batch.now,
        free_at=batch.machine,
        changed=True,
    )
    customer.messages[(enrollment.enrollment_id, command.visit)] = message
    apply_verdict(
        batch,
        customer,
        work,
        message,
        ask_policies(customer, work, message, batch.catalogue, asked="planned"),
    )


def apply_verdict(
    batch: Batch,
    customer: CustomerState,
    work: EnrollmentWork,
    message: MessageRow,
    judged: tuple[str, Verdict],
) -> bool:
    """Do what a verdict says short of handing over. True if the message may be handed over now."""
    channel, verdict = judged
    message.channel, message.provider = channel, batch.provider_of(channel)
    message.changed = True
    match verdict:
        case Allow() | HoldOut():
            message.due_at = batch.now
            return True
        case Defer():
            message.due_at = verdict.until
            _freeze_or_thaw(batch, customer, work, message, verdict)
        case Drop():
            settle(message, "not_sent", batch.now, reason=verdict.policy)
            over = Stopped(why=verdict.why)
            unsaid = Settled(
                visit=message.visit, outcome=DeliveryOutcome.NOT_SENT, at=batch.now, channel=channel
            )
            batch.apply(customer, work, over if verdict.cancels else unsaid)
        case _:
            assert_never(verdict)
    return False


def _freeze_or_thaw(
    batch: Batch, customer: CustomerState, work: EnrollmentWork, message: MessageRow, verdict: Defer
) -> None:
    """Patience stands still while a verdict freezes it, and goes on with the first that does not."""
    frozen = work.enrollment.state.frozen_until
    if verdict.freezes:
        batch.apply(customer, work, Frozen(visit=message.visit, until=verdict.until))
    elif frozen is not None and frozen > batch.now:
        batch.apply(customer, work, Frozen(visit=message.visit, until=batch.now))
    message.give_up_at = work.enrollment.state.give_up_at or message.give_up_at


def settle(message: MessageRow, status: str, at: datetime, *, reason: str | None = None) -> None:
    """A message reaches a state it will not leave; it needs no dispatch row any more."""
    message.status = status
    message.reason = reason or message.reason
    message.settled_at = at
    message.due_at = message.free_at = None
    message.changed = True


def _kind_and_channels(
    customer: CustomerState, published: PublishedPlaybook, action: object
) -> tuple[str, tuple[str, ...]]:
    match action:
        case Send():
            if action.channel == ("preferred",):
                return "send", by_preference(
                    customer, action.among or published.channels_with(action.template)
                )
            return "send", action.channel
        case Ask():
            return "ask", action.channel
        case Handoff():
            return "handoff", (action.to,)
        case Call():
            return "call", ("call" if action.function is not None else "webhook",)
        case _:
            msg = f"a step of kind {type(action).__name__} plans no message"
            raise TypeError(msg)


def by_preference(customer: CustomerState, among: Sequence[str]) -> tuple[str, ...]:
    """The channels in the order this customer answers on: best answer rate first, then as written."""
    rates = customer.answer_rates
    return tuple(sorted(among, key=lambda channel: (-rates.get(channel, 0.0), among.index(channel))))


def _withdraw(customer: CustomerState, work: EnrollmentWork, command: WithdrawMessage) -> None:
    message = customer.messages.get((work.enrollment.enrollment_id, command.visit))
    if message is None:
        return
    if message.status == "planned":
        waited_in_vain = command.reason == PATIENCE_OVER
        settle(message, "not_sent" if waited_in_vain else "withdrawn", customer.now, reason=command.reason)
        recheck(customer, "frequency_cap")  # the place that was kept for it
    elif traits_of(message.channel).in_feed and message.status in ("sent", "handing_over", "uncertain"):
        message.hide = (command.keep_until,)
        if command.keep_until is None and not message.seen:
            message.reason = command.reason
        message.expires_at = command.keep_until or customer.now
        message.changed = True


# --- rests ----------------------------------------------------------------------------------------------------------


def _cooldown(customer: CustomerState, work: EnrollmentWork, wanted: BeginCooldown, reason: str) -> None:
    shadow = work.enrollment.held_out
    standing = StandingRest(
        scope=wanted.scope,
        scope_value=wanted.scope_value,
        reason=f"{reason} of {work.enrollment.playbook}",
        ends_at=wanted.until,
        enrollment_id=work.enrollment.enrollment_id,
        visit=wanted.visit,
    )
    (customer.shadow_cooldowns if shadow else customer.cooldowns).append(standing)
    customer.new_cooldowns.append(
        {
            "customer_id": customer.customer_id,
            "scope": wanted.scope,
            "scope_value": wanted.scope_value,
            "reason": standing.reason,
            "enrollment_id": work.enrollment.enrollment_id,
            "visit": wanted.visit,
            "shadow": shadow,
            "starts_at": customer.now,
            "ends_at": wanted.until,
        }
    )


def _lift(customer: CustomerState, work: EnrollmentWork, visit: int) -> None:
    enrollment = work.enrollment.enrollment_id
    for cooldowns in (customer.cooldowns, customer.shadow_cooldowns):
        cooldowns[:] = [rest for rest in cooldowns if (rest.enrollment_id, rest.visit) != (enrollment, visit)]
    kept = [
        row for row in customer.new_cooldowns if (row["enrollment_id"], row["visit"]) != (enrollment, visit)
    ]
    if len(kept) == len(customer.new_cooldowns):
        customer.lifted_cooldowns.append((enrollment, visit))
    customer.new_cooldowns = kept
    recheck(customer, "cooldown")


# --- the rest of the commands ---------------------------------------------------------------------------------------


def _set_traits(batch: Batch, customer: CustomerState, work: EnrollmentWork, command: SetTraits) -> None:
    customer.facts.attributes.update(command.attributes)
    tags = [tag for tag in customer.facts.tags if tag not in command.remove_tags]
    tags.extend(tag for tag in command.add_tags if tag not in tags)
    customer.facts.tags = tuple(tags)
    customer.profile_changed = True
    profile_changed(customer)
    for other in customer.in_order():
        if other is not work:
            batch.apply(customer, other, FactsChanged())


def _begin(customer: CustomerState, work: EnrollmentWork, command: StartEnrollment) -> None:
    """Ask for another run through the inbox of whoever is to walk it: her own transaction, her own lock."""
    target: int | None = customer.customer_id
    if command.one_of:
        colleagues = [member for member in customer.members if member.id != customer.customer_id]
        target = next(
            (int(member.id) for role in command.one_of for member in colleagues if member.role == role), None
        )
    if target is None:
        customer.refusals.append(
            {
                "customer_id": customer.customer_id,
                "playbook": command.playbook,
                "reason": "nobody",
                "detail": {"why": f"no colleague has one of the roles {', '.join(command.one_of)}"},
                "trigger": work.enrollment.playbook,
                "at": customer.now,
            }
        )
        return
    customer.begins.append(
        {
            "customer_id": target,
            "kind": "start",
            "data": {
                "playbook": command.playbook,
                "context": dict(command.context),
                "trigger": f"playbook:{work.enrollment.playbook}",
            },
        }
    )


def _convert(batch: Batch, customer: CustomerState, work: EnrollmentWork, command: RecordConversion) -> None:
    enrollment = work.enrollment
    customer.conversions.append(
        {
            "customer_id": customer.customer_id,
            "enrollment_id": enrollment.enrollment_id,
            "event": command.event,
            "at": command.at,
            "value": command.value,
            "held_out": enrollment.held_out,
        }
    )
    if not batch.catalogue.policy.promotional(work.published.playbook.topic):
        return
    for other in customer.in_order():
        if other is not work and batch.catalogue.policy.promotional(other.published.playbook.topic):
            batch.apply(customer, other, Stopped(why=f"the customer took the offer of {enrollment.playbook}"))
