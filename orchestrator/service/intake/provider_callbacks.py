"""Takes in what providers call back with: withdrawals first and at once, everything else through the inbox.

One item that cannot be taken costs no other: what fails for several is repeated with halves of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from channels.base import Receipt, ReceiptKind
from channels.table import traits_of
from orchestrator.core.consent.scope import ANY
from orchestrator.errors import Contended, InputError, NotFound, Unavailable
from orchestrator.ids import MESSAGE, parse_public_id
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.inbox import InboxItem
from orchestrator.records.intake import IngestReport, Refused
from orchestrator.service.consent.ledger_rows import ConsentScope
from orchestrator.service.consent.preferences import grant
from orchestrator.service.consent.withdraw import Withdrawal, withdraw_each
from orchestrator.service.context import ServiceContext
from orchestrator.service.ports import Transaction
from orchestrator.telemetry import emit

_WITHDRAW = (ReceiptKind.OPTED_OUT, ReceiptKind.COMPLAINED)

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    customer_id: int
    message_id: int | None
    supposed: bool = False
    """The receipt names no message, only an address: it is taken for an answer to the last one that went there, and
    proves nothing about that one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A receipt with its place in the list and, once they were looked up, everybody it is about."""

    index: int
    receipt: Receipt
    targets: tuple[_Target, ...] = ()


def receive(services: ServiceContext, receipts: Sequence[Receipt]) -> IngestReport:
    """File authenticated receipts, each once. What names nobody we know is refused with its place in the list, and so
    is what cannot be stored.

    Raises Unavailable in an outage, and the error of a consent that could not be recorded: all else is filed by then,
    and the same list may be received again.
    """
    unstored: dict[int, str] = {}

    def give_up(one: _Placed, error: Exception) -> None:
        unstored[one.index] = f"could not be stored ({type(error).__name__})"
        emit("webhook.refused", source=one.receipt.source, reason=unstored[one.index])

    listed = [_Placed(index=index, receipt=receipt) for index, receipt in enumerate(receipts)]
    placed = [
        one for some in _divided(listed, lambda some: _look_up(services, some), give_up) for one in some
    ]
    failed = [*_withdraw(services, placed), *_agree(services, placed)]
    counts = _divided(placed, lambda some: _append(services, some), give_up)
    if failed:
        raise failed[0]
    new, arrived = (sum(numbers) for numbers in zip(*counts, strict=True)) if counts else (0, 0)
    refused = [_refused(one, unstored) for one in listed if one.index in unstored]
    refused += [_refused(one, unstored) for one in placed if one.index not in unstored]
    found = sorted((one for one in refused if one is not None), key=lambda one: one.index)
    return IngestReport(taken=new, repeated=arrived - new, refused=tuple(found))


def _divided(
    items: Sequence[Item], act: Callable[[Sequence[Item]], Result], give_up: Callable[[Item, Exception], None]
) -> list[Result]:
    """What ``act`` gives for all of them, or for as large parts of them as it does not fail for."""
    if not items:
        return []
    try:
        return [act(items)]
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about one of them
        if len(items) == 1:
            give_up(items[0], error)
            return []
    half = len(items) // 2
    return [*_divided(items[:half], act, give_up), *_divided(items[half:], act, give_up)]


def _refused(one: _Placed, unstored: dict[int, str]) -> Refused | None:
    place = f"$[{one.index}]"
    if one.index in unstored:
        return Refused(index=one.index, path=place, problem=unstored[one.index])
    if _says_yes_to_nothing(one.receipt):
        return Refused(index=one.index, path=f"{place}.channel", problem="a yes must name its channel")
    if not one.targets:
        return Refused(index=one.index, path=place, problem="names no message or person")
    return None


def _look_up(services: ServiceContext, some: Sequence[_Placed]) -> list[_Placed]:
    """Everybody each receipt is about, as far as they are customers of ours: an id may be forged, or its customer
    erased."""
    with services.store.begin() as transaction:
        targets = _targets(transaction, [one.receipt for one in some])
        known = transaction.customers.known({one.customer_id for found in targets for one in found})
    return [
        _Placed(
            index=one.index,
            receipt=one.receipt,
            targets=tuple(target for target in found if target.customer_id in known),
        )
        for one, found in zip(some, targets, strict=True)
    ]


def _append(services: ServiceContext, some: Sequence[_Placed]) -> tuple[int, int]:
    """How many were new, and how many there were."""
    arrivals = [
        _arrival(one.receipt, target)
        for one in some
        for target in one.targets
        if target.message_id is not None
    ]
    if not arrivals:
        return 0, 0
    with services.store.begin() as transaction:
        return transaction.inbox.append(arrivals, transaction.instants().business), len(arrivals)


def _says_yes_to_nothing(receipt: Receipt) -> bool:
    """A yes without a channel opens none; a no without one is for every channel."""
    return receipt.kind is ReceiptKind.OPTED_IN and receipt.channel is None


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
            found = [_Target(customer_id=one, message_id=last.get(one), supposed=True) for one in people]
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
        "provider_id": None if target.supposed else receipt.provider_id,
        "supposed": target.supposed or None,
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


def _withdraw(services: ServiceContext, placed: Sequence[_Placed]) -> list[Exception]:
    """What kept withdrawals from being recorded."""
    withdrawals = [
        Withdrawal(customer_id=target.customer_id, scope=_scope(one.receipt))
        for one in placed
        if one.receipt.kind in _WITHDRAW
        for target in one.targets
    ]
    return list(withdraw_each(services, withdrawals).values())


def _agree(services: ServiceContext, placed: Sequence[_Placed]) -> list[Exception]:
    """What kept each yes from being recorded."""
    failed: list[Exception] = []
    for one in placed:
        if one.receipt.kind is not ReceiptKind.OPTED_IN or _says_yes_to_nothing(one.receipt):
            continue
        for target in one.targets:
            try:
                grant(services, target.customer_id, _scope(one.receipt))
            except NotFound:
                continue  # erased a moment ago
            except Contended as error:
                failed.append(error)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is about this one
                failed.append(error)
    return failed


def _scope(receipt: Receipt) -> ConsentScope:
    return ConsentScope(
        channel=receipt.channel or ANY,
        topic=receipt.topic or ANY,
        evidence=ConsentEvidence(
            method=_method(receipt), source=receipt.source, details=dict(receipt.detail)
        ),
        source_id=f"{receipt.source}:{receipt.source_id}",
        said_at=receipt.occurred_at,  # a yes that is reported late must not undo the no that followed it
    )


def _method(receipt: Receipt) -> Literal["spam_report", "unsubscribe_page", "sms_keyword", "free_text"]:
    if receipt.kind is ReceiptKind.COMPLAINED:
        return "spam_report"
    if traits_of(receipt.channel).mailbox:
        return "unsubscribe_page"
    # A label of the provider's own, or a word that stood alone; anything longer is free text.
    return "sms_keyword" if receipt.code or len((receipt.text or "").split()) <= 1 else "free_text"
