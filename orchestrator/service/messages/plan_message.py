"""Writes the message of a step: over which channels it may go, and what the policies say of it today."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.catalogue import PublishedPlaybook
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow, PendingEvent
from orchestrator.core.machine.commands import PlanMessage
from orchestrator.language.model import Ask, Call, Handoff, Send
from orchestrator.records.message import MessageKind
from orchestrator.service.context import Batch
from orchestrator.service.messages.apply_verdict import apply_verdict
from orchestrator.service.messages.ask_policies import ask_policies
from orchestrator.service.messages.doubt import doubt, may_have_spoken


def plan_message(
    customer: CustomerState, work: EnrollmentWork, command: PlanMessage, batch: Batch
) -> Sequence[PendingEvent]:
    """Plan it and ask the policies the first time; what its enrollment has to hear of their verdict."""
    enrollment = work.enrollment
    playbook = work.published.playbook
    action = work.published.compiled.step(command.step).action
    kind, channels = _kind_and_channels(customer, work.published, action)
    message = MessageRow(
        customer_id=customer.customer_id,
        id=batch.transaction.batches.new_message_id(),
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
    if may_have_spoken(customer, work, command.step, batch.catalogue):
        heard = doubt(customer, message, batch)
        return () if heard is None else (heard,)
    judged = ask_policies(customer, work, message, batch.catalogue, asked="planned")
    return apply_verdict(work, message, judged, batch)


def _kind_and_channels(
    customer: CustomerState, published: PublishedPlaybook, action: object
) -> tuple[MessageKind, tuple[str, ...]]:
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
