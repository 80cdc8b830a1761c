"""What a provider's callback means for the message it is about: receipts, settling the uncertain, responses."""

from __future__ import annotations

from collections.abc import Mapping

from channels.base import ReceiptKind
from orchestrator.core.customer_state import CustomerState, MessageRow
from orchestrator.core.machine.events import DeliveryOutcome, EnrollmentEvent, Responded, Settled
from orchestrator.core.machine.reasons import PROVED_BY
from orchestrator.core.machine.survey import answer_of
from orchestrator.language.model import Ask
from orchestrator.records.inbox import InboxRow
from orchestrator.records.message import ReceiptRow
from orchestrator.service.messages.settle import settle

Texts = Mapping[str, Mapping[str, str]]

# Words that prove the provider has the message.
_PROVE = frozenset(ReceiptKind) - {ReceiptKind.FAILED, ReceiptKind.HELP, ReceiptKind.OPTED_IN}

# Receipt word to the word an enrollment hears.
_HEARD = {
    ReceiptKind.OPENED: "opened",
    ReceiptKind.OPENED_BY_MACHINE: "opened_by_machine",
    ReceiptKind.CLICKED: "clicked",
    ReceiptKind.CLICKED_BY_MACHINE: "clicked_by_machine",
    ReceiptKind.REPLIED: "replied",
    ReceiptKind.CLOSED: "closed",
    ReceiptKind.BOUNCED: "bounced",
    ReceiptKind.BLOCKED: "failed",
    ReceiptKind.FAILED: "failed",
}


def apply_receipt(
    customer: CustomerState, message: MessageRow, item: InboxRow, ask: Ask | None, texts: Texts
) -> list[EnrollmentEvent]:
    """File the receipt on ``message`` and say what it means for its enrollment, in order.

    ``ask`` is the question that the message put, if it put one, and ``texts`` the translations of its answers.
    """
    kind = ReceiptKind(item.data["kind"])
    happened_at = item.occurred_at
    customer.receipts.append(
        ReceiptRow(
            customer_id=customer.customer_id,
            message_id=message.id,
            source_id=item.data["source_id"],
            kind=kind.value,
            occurred_at=happened_at,
            received_at=item.received_at,
            data={name: item.data[name] for name in ("code", "link") if item.data.get(name)},
        )
    )
    events: list[EnrollmentEvent] = []
    proves = kind in _PROVE and not item.data.get("supposed")
    if message.status in ("handing_over", "uncertain", "abandoned") and proves:
        sent_at = message.handed_at or happened_at
        settle(message, "sent", customer.now, reason=f"{PROVED_BY}{kind.value}")
        message.sent_at = sent_at
        message.provider_id = message.provider_id or item.data.get("provider_id")
        events.append(
            Settled(visit=message.visit, outcome=DeliveryOutcome.SENT, at=sent_at, channel=message.channel)
        )
    if kind is ReceiptKind.BOUNCED:
        _mark_bounced(customer, message, item.data.get("code") or "bounced")
    heard, detail = _HEARD.get(kind), item.data.get("link")
    answer = answer_of(ask, item.data["text"], texts.values()) if ask and item.data.get("text") else None
    if answer is not None:
        heard, detail = "answered", answer
    if heard is not None:
        message.responses.setdefault(heard, happened_at.isoformat())
        if heard in ("bounced", "failed"):
            message.code = item.data.get("code") or message.code
        message.changed = True
        events.append(
            Responded(
                visit=message.visit, outcome=heard, detail=detail, occurred_at=happened_at, step=message.step
            )
        )
    return events


def _mark_bounced(customer: CustomerState, message: MessageRow, reason: str) -> None:
    """The address that bounced is the one the message was handed to; the customer may have another by now."""
    changed = message.channel in customer.points_changed
    if message.address_current and not changed:
        address, _ = customer.points.get(message.channel, (None, None))
        customer.mark_address(message.channel, address, reason)
