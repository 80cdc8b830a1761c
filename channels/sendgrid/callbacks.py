"""SendGrid's event webhook: signature, batches, and its events in our words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from channels.base import Receipt, ReceiptWord
from channels.callbacks import Parsed, Problem, clean, digest, header, problem
from channels.errors import BadSignatureError
from channels.scanners import looks_like_a_scanner, machine_burst

SOURCE = "sendgrid"
_OLDEST = 7 * 86_400.0  # retries run for a day; only an absurd age is refused


def verify(
    body: bytes,
    headers: Mapping[str, str],
    public_keys: Sequence[str],
    *,
    now: datetime,
    oldest: float = _OLDEST,
) -> None:
    """Raises :class:`BadSignatureError` unless one of the keys signed exactly these bytes, not absurdly long ago."""
    signature = header(headers, EventWebhookHeader.SIGNATURE)
    stamp = header(headers, EventWebhookHeader.TIMESTAMP)
    if not signature or not stamp:
        raise BadSignatureError(
            f"expected the headers {EventWebhookHeader.SIGNATURE} and {EventWebhookHeader.TIMESTAMP}; "
            "switch on the signed event webhook"
        )
    if not any(_signed(body, signature, stamp, key) for key in public_keys):
        raise BadSignatureError("no public key fits; compare ORCHESTRATOR_SENDGRID_WEBHOOK_PUBLIC_KEY")
    if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > oldest:
        raise BadSignatureError(f"signed more than {oldest:g} s from now; compare the clocks")


def _signed(body: bytes, signature: str, stamp: str, key: str) -> bool:
    try:
        return bool(EventWebhook(key).verify_signature(body.decode("utf-8"), signature, stamp))
    except Exception:  # noqa: BLE001  the verifier raises where it should say no: bad base64, bad key, bad UTF-8
        return False


def parse(body: bytes, *, topics: Mapping[int, str] | None = None) -> Parsed:
    """Read a batch. ``topics`` maps SendGrid's unsubscribe groups to our topics, where groups are used at all.

    A no to a group that is not among them is a no to every topic, and a yes to it is none.
    """
    try:
        items = json.loads(body)
    except (ValueError, RecursionError):
        return Parsed(problems=(problem(0, "expected a JSON array of events, got no JSON", body),))
    if not isinstance(items, list):
        kind = type(items).__name__
        return Parsed(problems=(problem(0, f"expected a JSON array of events, got {kind}", body),))
    receipts: list[Receipt] = []
    problems: list[Problem] = []
    events = [item if isinstance(item, dict) else {} for item in items]
    burst = machine_burst(events)
    for index, item in enumerate(items):
        raw = json.dumps(item, sort_keys=True).encode()
        try:
            if not isinstance(item, dict):
                raise _UnreadableError(f"expected an event object, got {type(item).__name__}")  # noqa: TRY301
            receipts.append(_receipt(item, raw, topics or {}, in_burst=index in burst))
        except _UnreadableError as error:
            problems.append(problem(index, str(error), raw))
    return Parsed(receipts=tuple(receipts), problems=tuple(problems))


class _UnreadableError(Exception):
    """One event that gives no fact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Event:
    item: Mapping[str, Any]
    in_burst: bool

    def text(self, name: str) -> str:
        value = self.item.get(name)
        return clean(value, 500) if isinstance(value, (str, int, float)) else ""


def _receipt(item: Mapping[str, Any], raw: bytes, topics: Mapping[int, str], *, in_burst: bool) -> Receipt:
    event = _Event(item=item, in_burst=in_burst)
    name = event.text("event")
    word_of = _WORDS.get(name)
    if word_of is None:
        raise _UnreadableError(f"no event of a message or a person: {name or 'missing'!r}")
    word = word_of(event)
    message_id = event.text("m") or None
    provider_id = _message_id(event.text("sg_message_id")) or None
    address = event.text("email").strip().lower() or None
    if message_id is None and provider_id is None and address is None:
        raise _UnreadableError("it names neither a message nor a person")
    detail = {"event": name} | {key: event.text(key) for key in _DETAIL if event.text(key)}
    group = item.get("asm_group_id")
    if isinstance(group, int):
        detail["group"] = str(group)
    topic = topics.get(group) if isinstance(group, int) else None
    if word is ReceiptWord.OPTED_IN and topic is None:
        raise _UnreadableError("a group that stands for no topic here: a yes to it opens nothing")
    return Receipt(
        source=SOURCE,
        source_id=event.text("sg_event_id") or f"digest:{digest(raw)}",
        word=word,
        occurred_at=_instant(item.get("timestamp")),
        message_id=message_id,
        provider_id=provider_id,
        address=address,
        channel="email",
        topic=topic,
        link=(event.text("url") or None) if name == "click" else None,
        code=_code(event, name),
        detail=detail,
    )


_DETAIL = ("attempt", "bounce_classification", "type", "tls")


def _code(event: _Event, name: str) -> str | None:
    if name == "dropped":
        return event.text("reason").lower()[:80] or None
    return event.text("status") or None


def _message_id(full: str) -> str | None:
    """The part that the send's answer gave: SendGrid appends where the mail was filtered.

    A mail it dropped has no id: then only the host stands there.
    """
    if _HOST.match(full):
        return None
    for mark in (".filter", ".recvd"):
        if mark in full:
            return full.split(mark, maxsplit=1)[0]
    return full.split(".", maxsplit=1)[0]


_HOST = re.compile(r"(filter(drecv)?|recvd)[-0-9]")


def _instant(value: object) -> datetime:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _UnreadableError("expected timestamp to be seconds since 1970")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise _UnreadableError("the timestamp is no instant") from None


def _bounce(event: _Event) -> ReceiptWord:
    return ReceiptWord.BLOCKED if event.text("type") == "blocked" else ReceiptWord.BOUNCED


def _dropped(event: _Event) -> ReceiptWord:
    """SendGrid did not even try: its own lists know something that ours must learn."""
    reason = event.text("reason").lower()
    for part, word in (
        ("unsubscribed", ReceiptWord.OPTED_OUT),
        ("spam report", ReceiptWord.COMPLAINED),
        ("bounced", ReceiptWord.BOUNCED),
    ):
        if part in reason:
            return word
    # "Invalid" alone is an address; "Invalid SMTPAPI header" is a request of ours.
    return ReceiptWord.BOUNCED if reason.strip() == "invalid" else ReceiptWord.FAILED


def _open(event: _Event) -> ReceiptWord:
    by_machine = event.item.get("sg_machine_open") is True or _mail_proxy(event)
    return ReceiptWord.OPENED_BY_MACHINE if by_machine else ReceiptWord.OPENED


def _mail_proxy(event: _Event) -> bool:
    """Apple's mail privacy proxy fetches every image, read or not, under this bare name."""
    return event.text("useragent").strip() == "Mozilla/5.0" or looks_like_a_scanner(event.text("useragent"))


def _click(event: _Event) -> ReceiptWord:
    by_machine = event.in_burst or looks_like_a_scanner(event.text("useragent"))
    return ReceiptWord.CLICKED_BY_MACHINE if by_machine else ReceiptWord.CLICKED


def _always(word: ReceiptWord) -> Callable[[_Event], ReceiptWord]:
    return lambda _: word


_WORDS: Mapping[str, Callable[[_Event], ReceiptWord]] = {
    "processed": _always(ReceiptWord.PROGRESS),
    "deferred": _always(ReceiptWord.PROGRESS),
    "delivered": _always(ReceiptWord.DELIVERED),
    "bounce": _bounce,
    "blocked": _always(ReceiptWord.BLOCKED),
    "dropped": _dropped,
    "open": _open,
    "click": _click,
    "spamreport": _always(ReceiptWord.COMPLAINED),
    "unsubscribe": _always(ReceiptWord.OPTED_OUT),
    "group_unsubscribe": _always(ReceiptWord.OPTED_OUT),
    "group_resubscribe": _always(ReceiptWord.OPTED_IN),
}
