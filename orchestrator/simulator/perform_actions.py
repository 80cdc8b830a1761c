"""Does deeds: each kind by the engine's own verb, in batches where the verb takes one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from channels.base import Receipt, ReceiptKind
from orchestrator.engine import Engine
from orchestrator.errors import NotFound, StartRefused
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.actions import ActOnMessage, CustomerAction, OptIn, OptOut, StartByProduct

_BATCH = 500
T = TypeVar("T")


@dataclass(slots=True)
class ActionCounts:
    """What a run did, for its progress line; the report counts for itself."""

    stops: int = 0
    deeds: int = 0
    messages: int = 0
    started: int = 0
    refused: int = 0


def do(engine: Engine, deeds: Sequence[CustomerAction], tally: ActionCounts) -> None:
    """All deeds of one stop of the clock: profiles, signals, what providers report, then what people do themselves."""
    for profiles in _batches([deed.what for deed in deeds if isinstance(deed.what, Identify)]):
        engine.identify(profiles)
    for signals in _batches([deed.what for deed in deeds if isinstance(deed.what, Track)]):
        engine.track(signals)
    for deed in deeds:
        if isinstance(deed.what, Receipt):
            _withdraw(engine, deed.customer, deed.what)
    for receipts in _batches([deed.what for deed in deeds if isinstance(deed.what, Receipt)]):
        engine.receive(receipts)
    for deed in deeds:
        _act(engine, deed, tally)
    tally.deeds += len(deeds)


def _withdraw(engine: Engine, customer: str, receipt: Receipt) -> None:
    """STOP and spam reports act at once, as they do when a webhook brings them."""
    match receipt.kind:
        case ReceiptKind.OPTED_OUT:
            evidence = ConsentEvidence(method="sms_keyword", source="simulation")
        case ReceiptKind.COMPLAINED:
            evidence = ConsentEvidence(method="spam_report", source="simulation")
        case _:
            return
    engine.opt_out(customer, channel=receipt.channel or "*", evidence=evidence, source_id=receipt.source_id)


def _act(engine: Engine, deed: CustomerAction, tally: ActionCounts) -> None:
    match deed.what:
        case ActOnMessage() as answer:
            engine.respond(
                answer.message_id,
                answer.outcome,
                detail=answer.detail,
                comment=answer.comment,
                source_id=answer.source_id,
                at=deed.at,
            )
        case OptOut() as out:
            engine.opt_out(
                deed.customer,
                topic=out.topic,
                evidence=ConsentEvidence(method="unsubscribe_page", source="simulation"),
                source_id=f"crowd:{out.message_id}:opt_out",
            )
        case OptIn(channel=channel):
            words = "Yes, send me text messages"
            engine.opt_in(
                deed.customer,
                channel=channel,
                evidence=ConsentEvidence(method="web_form", source="simulation", wording=words),
                source_id=f"crowd:{deed.customer}:opt_in:{channel}",
            )
        case StartByProduct() as begin:
            _begin(engine, deed.customer, begin, tally)
        case _:
            pass  # told in batches before


def _begin(engine: Engine, customer: str, begin: StartByProduct, tally: ActionCounts) -> None:
    try:
        engine.start_playbook(customer, begin.playbook, context=begin.context, key=begin.key)
        tally.started += 1
    except (StartRefused, NotFound):
        tally.refused += 1


def _batches(items: list[T]) -> Iterable[list[T]]:
    return (items[first : first + _BATCH] for first in range(0, len(items), _BATCH))
