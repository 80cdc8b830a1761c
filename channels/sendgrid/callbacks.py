"""SendGrid's event webhook: signature, batches, and its events in our words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from channels.base import Receipt, ReceiptKind
from channels.callbacks import CallbackProblem, Parsed, clean, digest, header, problem
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
    problems: list[CallbackProblem] = []
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
    kind = word_of(event)
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
    if kind is ReceiptKind.OPTED_IN and topic is None:
        raise _UnreadableError("a group that stands for no topic here: a yes to it opens nothing")
    return Receipt(
        source=SOURCE,
        source_id=event.text("sg_event_id") or f"digest:{digest(raw)}",
        kind=kind,
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


def _bounce(event: _Event) -> ReceiptKind:
    return ReceiptKind.BLOCKED if event.text("type") == "blocked" else ReceiptKind.BOUNCED


def _dropped(event: _Event) -> ReceiptKind:
    """SendGrid did not even try: its own lists know something that ours must learn."""
    reason = event.text("reason").lower()
    for part, kind in (
        ("unsubscribed", ReceiptKind.OPTED_OUT),
        ("spam report", ReceiptKind.COMPLAINED),
        ("bounced", ReceiptKind.BOUNCED),
    ):
        if part in reason:
            return kind
    # "Invalid" alone is an address; "Invalid SMTPAPI header" is a request of ours.
    return ReceiptKind.BOUNCED if reason.strip() == "invalid" else ReceiptKind.FAILED


def _open(event: _Event) -> ReceiptKind:
    by_machine = event.item.get("sg_machine_open") is True or _mail_proxy(event)
    return ReceiptKind.OPENED_BY_MACHINE if by_machine else ReceiptKind.OPENED


def _mail_proxy(event: _Event) -> bool:
    """Apple's mail privacy proxy fetches every image, read or not, under this bare name."""
    return event.text("useragent").strip() == "Mozilla/5.0" or looks_like_a_scanner(event.text("useragent"))


def _click(event: _Event) -> ReceiptKind:
    by_machine = event.in_burst or looks_like_a_scanner(event.text("useragent"))
    return ReceiptKind.CLICKED_BY_MACHINE if by_machine else ReceiptKind.CLICKED


def _always(kind: ReceiptKind) -> Callable[[_Event], ReceiptKind]:
    return lambda _: kind


_WORDS: Mapping[str, Callable[[_Event], ReceiptKind]] = {
    "processed": _always(ReceiptKind.PROGRESS),
    "deferred": _always(ReceiptKind.PROGRESS),
    "delivered": _always(ReceiptKind.DELIVERED),
    "bounce": _bounce,
    "blocked": _always(ReceiptKind.BLOCKED),
    "dropped": _dropped,
    "open": _open,
    "click": _click,
    "spamreport": _always(ReceiptKind.COMPLAINED),
    "unsubscribe": _always(ReceiptKind.OPTED_OUT),
    "group_unsubscribe": _always(ReceiptKind.OPTED_OUT),
    "group_resubscribe": _always(ReceiptKind.OPTED_IN),
}
