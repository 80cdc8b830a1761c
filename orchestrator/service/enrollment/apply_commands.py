"""Carries out what a decision wants done, on the work bench: each command of ``decide`` has its verb here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from orchestrator.core.catalogue import Published
from orchestrator.core.customer_state import MessageRow, Walker, Work
from orchestrator.core.machine.commands import (
    Begin,
    Command,
    Convert,
    LiftRest,
    PlanMessage,
    Rest,
    SetTraits,
    WithdrawMessage,
)
from orchestrator.core.machine.events import FactsChanged, Fate, Frozen, Responded, Settled, Stopped
from orchestrator.core.machine.reasons import PATIENCE_OVER
from orchestrator.core.policies.request import Allow, Defer, Drop, HoldOut, OpenHold, Verdict
from orchestrator.core.policies.request import Rest as StandingRest
from orchestrator.language.model import Ask, Call, Cooldown, Handoff, Send
from orchestrator.service.enrollment.ask_policies import judge_message
from orchestrator.service.enrollment.recheck import ask_again, profile_changed

if TYPE_CHECKING:
    from orchestrator.service.enrollment.apply_events import Fold

_NOT_GOT = frozenset({"bounced", "failed", "not_sent"})  # nobody ignores what did not reach her
# Outcomes that are an answer: somebody who gave one did not ignore us.
_ANSWERS = frozenset({"clicked", "replied", "answered", "dismissed", "negative", "closed", "met"})


def carry_out(fold: Fold, work: Work, walker: Walker, commands: Sequence[Command]) -> None:
    for command in commands:
        match command:
            case PlanMessage():
                _plan(fold, work, walker, command)
            case WithdrawMessage():
                _withdraw(work, walker, command)
            case Rest():
                _rest(work, walker, command, "cooldown")
            case LiftRest():
                _lift(work, walker, command.visit)
            case SetTraits():
                _set_traits(fold, work, walker, command)
            case Begin():
                _begin(work, walker, command)
            case Convert():
                _convert(fold, work, walker, command)
            case _:
                assert_never(command)


def ended(fold: Fold, work: Work, walker: Walker) -> None:
    """A run came to its end: what is known of it, and the rest of those who ignored everything."""
    run = walker.run
    if not any(
        other.run.state.live and other.run.playbook == run.playbook for other in work.walkers.values()
    ):
        work.facts.playbooks[run.playbook] = "ended"
    rest = fold.catalogue.policy.ignored_rest.span
    if rest and _was_ignored(fold, walker):
        wanted = Rest(visit=run.state.visit, scope="everything", scope_value="*", until=fold.now + rest)
        _rest(work, walker, wanted, "ignored")


def _was_ignored(fold: Fold, walker: Walker) -> bool:
    state = walker.run.state
    compiled = walker.published.compiled
    rested = any(isinstance(compiled.step(step).action, Cooldown) for step in state.visits)
    return (
        state.touched
        and not rested
        and state.converted_at is None
        and state.end_word not in ("opted_out", "erased", "left", "stopped")
        and fold.catalogue.policy.promotional(walker.published.playbook.topic)
        and not _ANSWERS & set(state.outcomes.values())
        and any(state.outcomes.get(step) not in _NOT_GOT for step in state.channels)
    )


def open_and_close_holds(fold: Fold, work: Work, signal: str, occurred_at: datetime) -> None:
    """Holds that this signal opens or closes."""
    for rule in fold.catalogue.policy.holds:
        open_now = next((hold for hold in work.holds if hold.name == rule.name), None)
        if signal in rule.closed_by and open_now is not None:
            work.holds.remove(open_now)
            work.closed_holds.append(rule.name)
            ask_again(work, "hold")
        if signal in rule.opened_by and (open_now is None or signal not in rule.closed_by):
            ends_at = occurred_at + rule.longest.span if rule.longest is not None else None
            if ends_at is not None and (ends_at <= fold.now or _outlasts(open_now, ends_at)):
                continue
            if open_now is not None and open_now in work.holds:
                work.holds.remove(open_now)
                work.closed_holds.append(rule.name)
            work.holds.append(
                OpenHold(
                    name=rule.name, opened_at=occurred_at, ends_at=ends_at, topics=frozenset(rule.topics)
                )
            )
            work.new_holds.append(
                {
                    "customer_id": work.customer_id,
                    "name": rule.name,
                    "opened_at": occurred_at,
                    "ends_at": ends_at,
                }
            )


def _outlasts(hold: OpenHold | None, ends_at: datetime) -> bool:
    """Whether the open hold ends later anyway: a signal that is heard of late makes none shorter."""
    return hold is not None and hold.ends_at is not None and hold.ends_at >= ends_at


def preferred_member(work: Work, roles: Sequence[str]) -> int | None:
    """The one member of the account who is spoken to: the first of the preferred roles, the oldest of that role."""
    for role in roles:
        for member in work.members:
            if role in ("*", member.role):
                return int(member.id)
    return None


def take_to_a_person(
    fold: Fold, work: Work, walker: Walker | None, message: MessageRow, heard: Responded
) -> None:
    """A negative answer goes to support with its context, unless the playbook itself has just handed it over."""
    name = fold.catalogue.policy.negative_starts
    if name is None or name not in fold.catalogue.newest or not _is_negative(fold, message, heard):
        return
    if walker is not None and walker.run.state.live:
        compiled = walker.published.compiled
        if isinstance(compiled.step(walker.run.state.step).action, Handoff):
            return
    context = {
        "from_playbook": message.playbook,
        "from_step": message.step,
        "said": heard.detail or heard.word,
    }
    fold.start(work, name, context=context, trigger="negative_answer")


def _is_negative(fold: Fold, message: MessageRow, heard: Responded) -> bool:
    if heard.word == "negative":
        return True
    published = fold.catalogue.versions.get(message.playbook_id)
    if published is None or heard.word != "answered" or heard.detail is None:
        return False
    action = published.compiled.step(message.step).action
    return isinstance(action, Ask) and heard.detail in action.negative


# --- messages -------------------------------------------------------------------------------------------------------


def _plan(fold: Fold, work: Work, walker: Walker, command: PlanMessage) -> None:
    run = walker.run
    playbook = walker.published.playbook
    action = walker.published.compiled.step(command.step).action
    kind, channels = _kind_and_channels(work, walker.published, action)
    message = MessageRow(
        customer_id=work.customer_id,
        enrollment_id=run.enrollment_id,
        playbook_id=run.playbook_id,
        playbook=run.playbook,
        step=command.step,
        visit=command.visit,
        kind=kind,
        channels=channels,
        channel=channels[0],
        topic=playbook.topic,
        promotional=fold.catalogue.policy.promotional(playbook.topic),
        priority=playbook.priority,
        held_out=run.held_out,
        planned_at=fold.now,
        give_up_at=command.give_up_at,
        provider=fold.provider_of(channels[0]),
        due_at=fold.now,
        free_at=fold.machine,
        changed=True,
    )
    work.messages[(run.enrollment_id, command.visit)] = message
    obey(fold, work, walker, message, judge_message(work, walker, message, fold.catalogue, asked="planned"))


def obey(fold: Fold, work: Work, walker: Walker, message: MessageRow, judged: tuple[str, Verdict]) -> bool:
    """Do what a verdict says short of handing over. True if the message may be handed over now."""
    channel, verdict = judged
    message.channel, message.provider = channel, fold.provider_of(channel)
    message.changed = True
    match verdict:
        case Allow() | HoldOut():
            message.due_at = fold.now
            return True
        case Defer():
            message.due_at = verdict.until
            _freeze_or_thaw(fold, work, walker, message, verdict)
        case Drop():
            settle(message, "not_sent", fold.now, reason=verdict.policy)
            over = Stopped(why=verdict.why)
            unsaid = Settled(visit=message.visit, fate=Fate.NOT_SENT, at=fold.now, channel=channel)
            fold.apply(work, walker, over if verdict.cancels else unsaid)
        case _:
            assert_never(verdict)
    return False


def _freeze_or_thaw(fold: Fold, work: Work, walker: Walker, message: MessageRow, verdict: Defer) -> None:
    """Patience stands still while a verdict freezes it, and goes on with the first that does not."""
    frozen = walker.run.state.frozen_until
    if verdict.freezes:
        fold.apply(work, walker, Frozen(visit=message.visit, until=verdict.until))
    elif frozen is not None and frozen > fold.now:
        fold.apply(work, walker, Frozen(visit=message.visit, until=fold.now))
    message.give_up_at = walker.run.state.give_up_at or message.give_up_at


def settle(message: MessageRow, status: str, at: datetime, *, reason: str | None = None) -> None:
    """A message reaches a state it will not leave; it needs no dispatch row any more."""
    message.status = status
    message.reason = reason or message.reason
    message.settled_at = at
    message.due_at = message.free_at = None
    message.changed = True


def _kind_and_channels(work: Work, published: Published, action: object) -> tuple[str, tuple[str, ...]]:
    match action:
        case Send():
            if action.channel == ("preferred",):
                return "send", by_preference(work, action.among or published.channels_with(action.template))
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


def by_preference(work: Work, among: Sequence[str]) -> tuple[str, ...]:
    """The channels in the order this customer answers on: best answer rate first, then as written."""
    rates = work.answer_rates
    return tuple(sorted(among, key=lambda channel: (-rates.get(channel, 0.0), among.index(channel))))


def _withdraw(work: Work, walker: Walker, command: WithdrawMessage) -> None:
    message = work.messages.get((walker.run.enrollment_id, command.visit))
    if message is None:
        return
    if message.status == "planned":
        waited_in_vain = command.reason == PATIENCE_OVER
        settle(message, "not_sent" if waited_in_vain else "withdrawn", work.now, reason=command.reason)
        ask_again(work, "frequency_cap")  # the place that was kept for it
    elif message.channel == "in_app" and message.status in ("sent", "handing_over", "uncertain"):
        message.hide = (command.keep_until,)
        if command.keep_until is None and not message.seen:
            message.reason = command.reason
        message.expires_at = command.keep_until or work.now
        message.changed = True


# --- rests ----------------------------------------------------------------------------------------------------------


def _rest(work: Work, walker: Walker, wanted: Rest, reason: str) -> None:
    shadow = walker.run.held_out
    standing = StandingRest(
        scope=wanted.scope,
        scope_value=wanted.scope_value,
        reason=f"{reason} of {walker.run.playbook}",
        ends_at=wanted.until,
        enrollment_id=walker.run.enrollment_id,
        visit=wanted.visit,
    )
    (work.shadow_rests if shadow else work.rests).append(standing)
    work.new_rests.append(
        {
            "customer_id": work.customer_id,
            "scope": wanted.scope,
            "scope_value": wanted.scope_value,
            "reason": standing.reason,
            "enrollment_id": walker.run.enrollment_id,
            "visit": wanted.visit,
            "shadow": shadow,
            "starts_at": work.now,
            "ends_at": wanted.until,
        }
    )


def _lift(work: Work, walker: Walker, visit: int) -> None:
    enrollment = walker.run.enrollment_id
    for rests in (work.rests, work.shadow_rests):
        rests[:] = [rest for rest in rests if (rest.enrollment_id, rest.visit) != (enrollment, visit)]
    kept = [row for row in work.new_rests if (row["enrollment_id"], row["visit"]) != (enrollment, visit)]
    if len(kept) == len(work.new_rests):
        work.lifted_rests.append((enrollment, visit))
    work.new_rests = kept
    ask_again(work, "cooldown")


# --- the rest of the commands ---------------------------------------------------------------------------------------


def _set_traits(fold: Fold, work: Work, walker: Walker, command: SetTraits) -> None:
    work.facts.attributes.update(command.attributes)
    tags = [tag for tag in work.facts.tags if tag not in command.remove_tags]
    tags.extend(tag for tag in command.add_tags if tag not in tags)
    work.facts.tags = tuple(tags)
    work.profile_changed = True
    profile_changed(work)
    for other in work.in_order():
        if other is not walker:
            fold.apply(work, other, FactsChanged())


def _begin(work: Work, walker: Walker, command: Begin) -> None:
    """Ask for another run through the inbox of whoever is to walk it: her own transaction, her own lock."""
    target: int | None = work.customer_id
    if command.one_of:
        colleagues = [member for member in work.members if member.id != work.customer_id]
        target = next(
            (int(member.id) for role in command.one_of for member in colleagues if member.role == role), None
        )
    if target is None:
        work.refusals.append(
            {
                "customer_id": work.customer_id,
                "playbook": command.playbook,
                "reason": "nobody",
                "detail": {"why": f"no colleague has one of the roles {', '.join(command.one_of)}"},
                "trigger": walker.run.playbook,
                "at": work.now,
            }
        )
        return
    work.begins.append(
        {
            "customer_id": target,
            "kind": "start",
            "data": {
                "playbook": command.playbook,
                "context": dict(command.context),
                "trigger": f"playbook:{walker.run.playbook}",
            },
        }
    )


def _convert(fold: Fold, work: Work, walker: Walker, command: Convert) -> None:
    run = walker.run
    work.conversions.append(
        {
            "customer_id": work.customer_id,
            "enrollment_id": run.enrollment_id,
            "event": command.event,
            "at": command.at,
            "value": command.value,
            "held_out": run.held_out,
        }
    )
    if not fold.catalogue.policy.promotional(walker.published.playbook.topic):
        return
    for other in work.in_order():
        if other is not walker and fold.catalogue.policy.promotional(other.published.playbook.topic):
            fold.apply(work, other, Stopped(why=f"the customer took the offer of {run.playbook}"))
