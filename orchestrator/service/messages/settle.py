"""Messages that come to their end without being handed over, or leave the feed they are in."""

from __future__ import annotations

from datetime import datetime

from channels.table import traits_of
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, FeedWithdrawal, MessageRow
from orchestrator.core.machine.commands import WithdrawMessage
from orchestrator.core.machine.reasons import OPTED_OUT, PATIENCE_OVER
from orchestrator.records.message import MessageStatus
from orchestrator.service.messages.recheck import recheck


def settle(message: MessageRow, status: MessageStatus, at: datetime, *, reason: str | None = None) -> None:
    """A message reaches a state it will not leave; it needs no dispatch row any more."""
    message.status = status
    message.reason = reason or message.reason
    message.settled_at = at
    message.due_at = message.free_at = None
    message.changed = True


def withdraw_message(customer: CustomerState, work: EnrollmentWork, command: WithdrawMessage) -> None:
    """Cancel what is planned; hide what is in the feed, at once or when it was to be kept until."""
    message = customer.messages.get((work.enrollment.enrollment_id, command.visit))
    if message is None:
        return
    if message.status == "planned":
        waited_in_vain = command.reason == PATIENCE_OVER
        settle(message, "not_sent" if waited_in_vain else "withdrawn", customer.now, reason=command.reason)
        recheck(customer, "frequency_cap")  # the cap slot that was kept for it
    elif traits_of(message.channel).in_feed and message.status in ("sent", "handing_over", "uncertain"):
        message.hide = FeedWithdrawal(keep_until=command.keep_until)
        if command.keep_until is None and not message.seen and message.reason != OPTED_OUT:
            message.reason = (
                command.reason
            )  # unless an opt-out took it out of the feed before the enrollment heard
        message.expires_at = command.keep_until or customer.now
        message.changed = True
