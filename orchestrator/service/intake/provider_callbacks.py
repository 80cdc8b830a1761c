"""Takes in what providers call back with: opt-outs at once, everything else through the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from channels.base import Receipt, ReceiptKind
from channels.table import traits_of
from orchestrator.core.consent.scope import ANY
from orchestrator.errors import InputError, NotFound
from orchestrator.ids import MESSAGE, parse_public_id
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.inbox import InboxItem
from orchestrator.records.intake import IngestReport, Refused
from orchestrator.service.consent.preferences import ConsentScope, opt_in, opt_out
from orchestrator.service.context import ServiceContext
from orchestrator.service.ports import Transaction

_WITHDRAW = (ReceiptKind.OPTED_OUT, ReceiptKind.COMPLAINED)
_CONSENT = (*_WITHDRAW, ReceiptKind.OPTED_IN)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    customer_id: int
    message_id: int | None


def receive(services: ServiceContext, receipts: Sequence[Receipt]) -> IngestReport:
    """File authenticated receipts, each once. What names nobody we know is refused with its place in the batch."""
    refused: list[Refused] = []
    with services.store.begin() as transaction:
        now = transaction.instants().business
        targets, keys = _known(transaction, _targets(transaction, receipts))
        arrivals: list[InboxItem] = []
        for index, receipt in enumerate(receipts):
            found = targets[index]
            if _says_yes_to_nothing(receipt):
                refused.append(
                    Refused(index=index, path=f"$[{index}].channel", problem="a yes must name its channel")
                )
            elif not found:
                refused.append(Refused(index=index, path=f"$[{index}]", problem="names no message or person"))
            arrivals += [_arrival(receipt, one) for one in found if one.message_id is not None]
        new = transaction.inbox.append(arrivals, now)
    for index, receipt in enumerate(receipts):
        if receipt.kind in _CONSENT and not _says_yes_to_nothing(receipt):
            for one in targets[index]:
                _consent(services, receipt, keys[one.customer_id])
    return IngestReport(taken=new, repeated=len(arrivals) - new, refused=tuple(refused))


def _says_yes_to_nothing(receipt: Receipt) -> bool:
    """A yes without a channel opens none; a no without one is for every channel."""
    return receipt.kind is ReceiptKind.OPTED_IN and receipt.channel is None


def _known(
    transaction: Transaction, targets: Sequence[list[_Target]]
) -> tuple[list[list[_Target]], dict[int, str]]:
    """Only the targets that are customers of ours, and their keys: an id may be forged, or its customer erased."""
    keys: dict[int, str] = {}
    for customer_id in sorted({one.customer_id for found in targets for one in found}):
        try:
            keys[customer_id] = transaction.customers.key_of(customer_id)
        except NotFound:
            continue
    return [[one for one in found if one.customer_id in keys] for found in targets], keys


def _targets(transaction: Transaction, receipts: Sequence[Receipt]) -> list[list[_Target]]:
    """Whom each receipt is about: by our message id, by the provider's id, else everyone at the address.

    A withdrawal is always about everyone at the address: it is the mailbox or the phone that wants its peace.
    """
    by_provider = transaction.messages.by_provider_id(
        {receipt.provider_id for receipt in receipts if receipt.message_id is None and receipt.provider_id}
    )
    pairs = {
        (point, receipt.address)
        for receipt in receipts
        for point in _points(receipt)
        if receipt.address is not None
    }
    by_address = transaction.customers.by_address(
        {(channel, address) for channel, address in pairs if address}
    )
    targets: list[list[_Target]] = []
    for receipt in receipts:
        people = sorted(
            {one for point in _points(receipt) for one in by_address.get((point, receipt.address or ""), [])}
        )
        found: list[_Target] = []
        if receipt.message_id is not None:
            found = _by_id(receipt.message_id)
        elif receipt.provider_id in by_provider:
            customer_id, message_id = by_provider[receipt.provider_id or ""]
            found = [_Target(customer_id=customer_id, message_id=message_id)]
        elif people:
            last = transaction.messages.last_by(receipt.channel or "", people)
            found = [_Target(customer_id=one, message_id=last.get(one)) for one in people]
        if receipt.kind in _WITHDRAW:
            known = {one.customer_id for one in found}
            found += [_Target(customer_id=one, message_id=None) for one in people if one not in known]
        targets.append(found)
    return targets


def _points(receipt: Receipt) -> tuple[str, ...]:
    """Where the addresses of its channel are kept."""
    return traits_of(receipt.channel).contact_points


def _by_id(message_id: str) -> list[_Target]:
    try:
        message = parse_public_id(message_id, prefix=MESSAGE)
    except InputError:
        return []
    return [_Target(customer_id=message.customer_id, message_id=message.row_id)]


def _arrival(receipt: Receipt, target: _Target) -> InboxItem:
    data = {
        "message_id": target.message_id,
        "kind": receipt.kind.value,
        "source_id": f"{receipt.source}:{receipt.source_id}",
        "provider_id": receipt.provider_id,
        "code": receipt.code,
        "link": receipt.link,
        "text": receipt.text if receipt.kind is ReceiptKind.REPLIED else None,  # it may answer a question
    }
    return InboxItem(
        customer_id=target.customer_id,
        kind="receipt",
        source_id=f"{receipt.source}:{receipt.source_id}",
        occurred_at=receipt.occurred_at,
        data={name: value for name, value in data.items() if value is not None},
    )


def _consent(services: ServiceContext, receipt: Receipt, customer: str) -> None:
    scope = ConsentScope(
        channel=receipt.channel or ANY,
        topic=receipt.topic or ANY,
        evidence=ConsentEvidence(
            method=_method(receipt), source=receipt.source, details=dict(receipt.detail)
        ),
        source_id=f"{receipt.source}:{receipt.source_id}",
        said_at=receipt.occurred_at,  # a yes that is reported late must not undo the no that followed it
    )
    if receipt.kind in _WITHDRAW:
        opt_out(services, customer, scope)
    else:
        opt_in(services, customer, scope)


def _method(receipt: Receipt) -> Literal["spam_report", "unsubscribe_page", "sms_keyword", "free_text"]:
    if receipt.kind is ReceiptKind.COMPLAINED:
        return "spam_report"
    if traits_of(receipt.channel).mailbox:
        return "unsubscribe_page"
    # A label of the provider's own, or a word that stood alone; anything longer is free text.
    return "sms_keyword" if receipt.code or len((receipt.text or "").split()) <= 1 else "free_text"
