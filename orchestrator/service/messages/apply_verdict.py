"""What a verdict of the policies does to a message, short of handing it over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from orchestrator.core.customer_state import EnrollmentWork, MessageRow, PendingEvent
from orchestrator.core.machine.events import DeliveryOutcome, Frozen, Settled, Stopped
from orchestrator.core.policies.request import Allow, Defer, Drop, HoldOut, Verdict
from orchestrator.service.context import Batch
from orchestrator.service.messages.settle import settle


def apply_verdict(
    work: EnrollmentWork, message: MessageRow, judged: tuple[str, Verdict], batch: Batch
) -> Sequence[PendingEvent]:
    """Put the message off or settle it, and say what its enrollment has to hear of that.

    A message that may be handed over stays ``planned`` and is due at once.
    """
    channel, verdict = judged
    message.channel, message.provider = channel, batch.provider_of(channel)
    message.changed = True
    match verdict:
        case Allow() | HoldOut():
            message.due_at = batch.now
            return ()
        case Defer():
            message.due_at = verdict.until
            return _freeze_or_thaw(work, message, verdict, batch)
        case Drop():
            settle(message, "not_sent", batch.now, reason=verdict.policy)
            if verdict.cancels:
                return (PendingEvent(work=work, event=Stopped(why=verdict.why)),)
            unsent = Settled(
                visit=message.visit, outcome=DeliveryOutcome.NOT_SENT, at=batch.now, channel=channel
            )
            return (PendingEvent(work=work, event=unsent),)
        case _:
            assert_never(verdict)


def _freeze_or_thaw(
    work: EnrollmentWork, message: MessageRow, verdict: Defer, batch: Batch
) -> Sequence[PendingEvent]:
    """Patience stands still while a verdict freezes it, and goes on with the first that does not."""
    frozen = work.enrollment.state.frozen_until
    if verdict.freezes:
        until = verdict.until
    elif frozen is not None and frozen > batch.now:
        until = batch.now
    else:
        return ()
    return (PendingEvent(work=work, event=Frozen(visit=message.visit, until=until)),)
