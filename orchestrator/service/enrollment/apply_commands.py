"""Carries out what a decision wants done, on the customer in memory: each command of ``decide`` has its verb here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from orchestrator.core.customer_state import CustomerState, EnrollmentWork, PendingEvent
from orchestrator.core.machine.commands import (
    BeginCooldown,
    Command,
    LiftCooldown,
    PlanMessage,
    RecordConversion,
    SetPatience,
    SetTraits,
    StartEnrollment,
    WithdrawMessage,
)
from orchestrator.core.machine.events import FactsChanged, Stopped
from orchestrator.records.enrollment import ConversionRow, RefusalRow
from orchestrator.records.inbox import InboxRequest
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.cooldowns import begin_cooldown, lift_cooldown
from orchestrator.service.messages.plan_message import plan_message
from orchestrator.service.messages.recheck import profile_changed
from orchestrator.service.messages.settle import withdraw_message


def apply_command(
    customer: CustomerState, work: EnrollmentWork, command: Command, batch: Batch
) -> Sequence[PendingEvent]:
    """Do it, and say what this or another enrollment of the customer has to hear of it."""
    match command:
        case PlanMessage():
            return plan_message(customer, work, command, batch)
        case SetPatience():
            customer.messages[(work.enrollment.enrollment_id, command.visit)].give_up_at = command.give_up_at
        case WithdrawMessage():
            withdraw_message(customer, work, command)
        case BeginCooldown():
            begin_cooldown(customer, work, command, "cooldown")
        case LiftCooldown():
            lift_cooldown(customer, work, command.visit)
        case SetTraits():
            return _set_traits(customer, work, command)
        case StartEnrollment():
            _ask_to_start(customer, work, command)
        case RecordConversion():
            return _convert(customer, work, command, batch)
        case _:
            assert_never(command)
    return ()


def _set_traits(customer: CustomerState, work: EnrollmentWork, command: SetTraits) -> Sequence[PendingEvent]:
    customer.facts.attributes.update(command.attributes)
    tags = [tag for tag in customer.facts.tags if tag not in command.remove_tags]
    tags.extend(tag for tag in command.add_tags if tag not in tags)
    customer.facts.tags = tuple(tags)
    customer.profile_changed = True
    profile_changed(customer)
    others = (other for other in customer.in_order() if other is not work)
    return [PendingEvent(work=other, event=FactsChanged()) for other in others]


def _ask_to_start(customer: CustomerState, work: EnrollmentWork, command: StartEnrollment) -> None:
    """Ask for another enrollment through the inbox of whoever it is for: a transaction and a lock of their own."""
    target: int | None = customer.customer_id
    if command.one_of:
        colleagues = [member for member in customer.members if member.customer_id != customer.customer_id]
        target = next(
            (member.customer_id for role in command.one_of for member in colleagues if member.role == role),
            None,
        )
    if target is None:
        customer.refusals.append(
            RefusalRow(
                customer_id=customer.customer_id,
                playbook=command.playbook,
                reason="nobody",
                detail={"why": f"no colleague has one of the roles {', '.join(command.one_of)}"},
                trigger=work.enrollment.playbook,
                at=customer.now,
            )
        )
        return
    wanted = {
        "playbook": command.playbook,
        "context": dict(command.context),
        "trigger": f"playbook:{work.enrollment.playbook}",
    }
    customer.requests.append(InboxRequest(customer_id=target, kind="start", data=wanted))


def _convert(
    customer: CustomerState, work: EnrollmentWork, command: RecordConversion, batch: Batch
) -> Sequence[PendingEvent]:
    """Keep the conversion; who took a promotional offer is asked for no other."""
    enrollment = work.enrollment
    customer.conversions.append(
        ConversionRow(
            customer_id=customer.customer_id,
            enrollment_id=enrollment.enrollment_id,
            event=command.event,
            at=command.at,
            value=command.value,
            held_out=enrollment.held_out,
        )
    )
    promotional = batch.catalogue.policy.promotional
    if not promotional(work.published.playbook.topic):
        return ()
    taken = Stopped(why=f"the customer took the offer of {enrollment.playbook}")
    return [
        PendingEvent(work=other, event=taken)
        for other in customer.in_order()
        if other is not work and promotional(other.published.playbook.topic)
    ]
