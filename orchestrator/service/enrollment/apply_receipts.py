"""What a provider's callback means for the message it is about: receipts, settling the uncertain, responses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.base import ReceiptWord
from orchestrator.core.customer_state import MessageRow, Work
from orchestrator.core.machine.events import Fate, Happening, Responded, Settled
from orchestrator.core.machine.reasons import PROVED_BY
from orchestrator.core.machine.survey import answer_of
from orchestrator.language.model import Ask
from orchestrator.service.enrollment.apply_commands import settle

Texts = Mapping[str, Mapping[str, str]]

# Words that prove the provider has the message.
_PROVE = frozenset(ReceiptWord) - {ReceiptWord.FAILED, ReceiptWord.HELP, ReceiptWord.OPTED_IN}

# Receipt word to the word a walk hears.
_HEARD = {
    ReceiptWord.OPENED: "opened",
    ReceiptWord.OPENED_BY_MACHINE: "opened_by_machine",
    ReceiptWord.CLICKED: "clicked",
    ReceiptWord.CLICKED_BY_MACHINE: "clicked_by_machine",
    ReceiptWord.REPLIED: "replied",
    ReceiptWord.CLOSED: "closed",
    ReceiptWord.BOUNCED: "bounced",
    ReceiptWord.BLOCKED: "failed",
    ReceiptWord.FAILED: "failed",
}


def file_receipt(
    work: Work, message: MessageRow, item: Any, ask: Ask | None, texts: Texts
) -> list[Happening]:
    """File the receipt on ``message`` and say what it means for its run, in order.

    ``ask`` is the question that the message put, if it put one, and ``texts`` the translations of its answers.
    """
    word = ReceiptWord(item.data["word"])
    happened_at: datetime = item.occurred_at
    work.receipts.append(
        {
            "customer_id": work.customer_id,
            "message_id": message.id,
            "source_id": item.data["source_id"],
            "word": word.value,
            "occurred_at": happened_at,
            "received_at": item.received_at,
            "data": {name: item.data[name] for name in ("code", "link") if item.data.get(name)},
        }
    )
    happenings: list[Happening] = []
    if message.status in ("handing_over", "uncertain", "abandoned") and word in _PROVE:
        sent_at = message.handed_at or happened_at
        settle(message, "sent", work.now, reason=f"{PROVED_BY}{word.value}")
        message.sent_at = sent_at
        message.provider_id = message.provider_id or item.data.get("provider_id")
        happenings.append(Settled(visit=message.visit, fate=Fate.SENT, at=sent_at, channel=message.channel))
    if word is ReceiptWord.BOUNCED:
        work.points_invalid[message.channel] = item.data.get("code") or "bounced"
        address, _ = work.points.get(message.channel, (None, None))
        if address is not None:
            work.points[message.channel] = (address, "bounced")
    heard, detail = _HEARD.get(word), item.data.get("link")
    answer = answer_of(ask, item.data["text"], texts.values()) if ask and item.data.get("text") else None
    if answer is not None:
        heard, detail = "answered", answer
    if heard is not None:
        message.responses.setdefault(heard, happened_at.isoformat())
        if heard in ("bounced", "failed"):
            message.code = item.data.get("code") or message.code
        message.changed = True
        happenings.append(
            Responded(
                visit=message.visit, word=heard, detail=detail, occurred_at=happened_at, step=message.step
            )
        )
    return happenings
