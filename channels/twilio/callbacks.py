"""Twilio's callbacks: signature, message statuses, inbound messages and conversation events, in our words.

Twilio sends no time with a status, so every reader takes the instant at which the callback came in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import HMAC_SHA1, SIGNATURE_HEADER, RequestValidator

from channels.base import Receipt, ReceiptKind
from channels.callbacks import Parsed, clean, digest, header, problem
from channels.errors import BadSignatureError
from channels.optout_keywords.classify import Meant, classify, provider_answers

SOURCE = "twilio"
MESSAGE_PARAMETER = "m"
"""The name in the status callback's query string under which our message id travels."""


class Form:
    """A form body, read without trimming, that keeps repeated names apart as the signature needs it."""

    def __init__(self, body: bytes) -> None:
        self._pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def __iter__(self) -> object:
        return iter({key for key, _ in self._pairs})

    def __len__(self) -> int:
        return len(self._pairs)

    def get(self, name: str) -> str:
        """The first value, safe to store; empty when absent."""
        return clean(next((value for key, value in self._pairs if key == name), ""))


def verify(
    body: bytes, headers: Mapping[str, str], url: str, auth_token: str, *, algorithm: str = HMAC_SHA1
) -> None:
    """Raises :class:`BadSignatureError` unless Twilio signed this call.

    ``url`` is the URL that Twilio called: built from the configured public URL, never from the request's own
    host. ``algorithm`` is fixed for each endpoint, so a caller cannot choose a weaker one.
    """
    signature = header(headers, SIGNATURE_HEADER)
    if not signature:
        raise BadSignatureError(f"expected the header {SIGNATURE_HEADER}")
    try:
        as_json = "bodySHA256" in parse_qs(urlsplit(url).query)
        given = body.decode("utf-8") if as_json else Form(body)
        valid = RequestValidator(auth_token).validate(url, given, signature, algorithm)
    except (ValueError, TypeError):
        valid = False
    if not valid:
        raise BadSignatureError(
            "the signature does not fit; compare the auth token and ORCHESTRATOR_PUBLIC_URL"
        )


def parse_status(body: bytes, url: str, *, received_at: datetime) -> Parsed:
    """A status callback of a message. Our message id comes from the (signed) query string."""
    form = Form(body)
    sid, status = form.get("MessageSid") or form.get("SmsSid"), form.get("MessageStatus").lower()
    kind = _STATUS.get(status)
    if not sid or kind is None:
        reason = f"expected MessageSid and a known MessageStatus, got {status or 'none'!r}"
        return Parsed(problems=(problem(0, reason, body),))
    code = form.get("ErrorCode")
    code = "" if code == "0" else code
    if kind is ReceiptKind.FAILED:
        kind = _FAILURES.get(code, ReceiptKind.FAILED)
    channel, address = _address(form.get("To"))
    receipt = Receipt(
        source=SOURCE,
        source_id=f"{sid}:{status}",
        kind=kind,
        occurred_at=received_at,
        message_id=_message_id(url),
        provider_id=sid,
        address=address,
        channel=channel,
        code=code or None,
        detail={"status": status},
    )
    return Parsed(receipts=(receipt,))


def parse_inbound(body: bytes, *, received_at: datetime) -> Parsed:
    """A message from a person: an opt-out, an opt-in, a call for help, or a reply."""
    form = Form(body)
    sid, sender = form.get("MessageSid") or form.get("SmsSid"), form.get("From")
    if not sid or not sender:
        return Parsed(problems=(problem(0, "expected MessageSid and From of an inbound message", body),))
    channel, address = _address(sender)
    text = form.get("Body")
    payload = form.get("ButtonPayload")
    heard = classify(text)
    labelled = _LABELS.get(form.get("OptOutType").upper())
    kind = labelled or _MEANT[heard.meant]
    detail = {"to": _address(form.get("To"))[1] or ""}
    if labelled is not None or (channel == "sms" and provider_answers(text)):
        detail["answered_by_provider"] = "true"  # Twilio has confirmed it already: do not answer again
    if heard.matched:
        detail["matched"] = heard.matched
    if payload:
        detail["button"] = payload
    receipts = [
        Receipt(
            source=SOURCE,
            source_id=f"{sid}:inbound",
            kind=kind,
            occurred_at=received_at,
            provider_id=sid,
            address=address,
            channel=channel,
            text=text,
            code=form.get("OptOutType") or None,
            detail=detail,
        )
    ]
    if kind is ReceiptKind.OPTED_IN and heard.meant is Meant.OTHER:
        # "Yes" unblocks a number at Twilio, and may at the same time be somebody's answer to a question.
        receipts.append(
            Receipt(
                source=SOURCE,
                source_id=f"{sid}:reply",
                kind=ReceiptKind.REPLIED,
                occurred_at=received_at,
                provider_id=sid,
                address=address,
                channel=channel,
                text=text,
                detail=detail,
            )
        )
    return Parsed(receipts=tuple(receipts))


def parse_conversation(body: bytes, *, received_at: datetime, own_author: str = "team") -> Parsed:
    """A conversation event. Events without news for us (a participant joined, our own echo) give nothing."""
    form = Form(body)
    event, conversation = form.get("EventType"), form.get("ConversationSid")
    if not event or not conversation:
        return Parsed(problems=(problem(0, "expected EventType and ConversationSid", body),))
    kind: ReceiptKind | None = None
    unique, text, code = form.get("MessageSid"), None, None
    if event == "onMessageAdded":
        if form.get("Author") in (own_author, "system"):
            return Parsed()
        text = form.get("Body")
        kind = _MEANT[classify(text).meant]
    elif event == "onDeliveryUpdated":
        status = form.get("Status").lower()
        kind = _STATUS.get(status)
        code = form.get("ErrorCode") or None
        unique = f"{unique}:{form.get('ParticipantSid')}:{status}"
    elif event == "onConversationStateUpdated":
        state = form.get("StateTo") or form.get("State")
        kind = ReceiptKind.CLOSED if state == "closed" else None
        unique = f"{conversation}:{state}:{form.get('DateUpdated') or digest(body)}"
    elif event == "onConversationRemoved":
        kind, unique = ReceiptKind.CLOSED, conversation
    if kind is None:
        return Parsed()
    receipt = Receipt(
        source=SOURCE,
        source_id=f"{event}:{unique or digest(body)}",
        kind=kind,
        occurred_at=received_at,
        message_id=_named_in(form),
        provider_id=conversation,
        address=form.get("Author") or None if event == "onMessageAdded" else None,
        channel="chat",
        text=text,
        code=code,
        detail={"event": event},
    )
    return Parsed(receipts=(receipt,))


def _named_in(form: Form) -> str | None:
    """Our message id: the conversation's own name, or what we wrote into its attributes."""
    name = form.get("UniqueName")
    if name.startswith("m_"):
        return name
    try:
        attributes = json.loads(form.get("Attributes") or "{}")
    except ValueError:
        return None
    given = attributes.get("m") if isinstance(attributes, dict) else None
    return given if isinstance(given, str) and given.startswith("m_") else None


def _message_id(url: str) -> str | None:
    values = parse_qs(urlsplit(url).query).get(MESSAGE_PARAMETER)
    return clean(values[0], 100) if values else None


def _address(raw: str) -> tuple[str, str | None]:
    address = raw.strip()
    if address.startswith("whatsapp:"):
        return "whatsapp", address.removeprefix("whatsapp:") or None
    return "sms", address or None


_STATUS: Mapping[str, ReceiptKind] = {
    **dict.fromkeys(
        ("accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"), ReceiptKind.PROGRESS
    ),
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.OPENED,
    **dict.fromkeys(("undelivered", "failed", "canceled"), ReceiptKind.FAILED),
}

_FAILURES: Mapping[str, ReceiptKind] = {
    **dict.fromkeys(("21211", "21614", "21635", "30005", "30006", "63003"), ReceiptKind.BOUNCED),
    **dict.fromkeys(("30004", "30007"), ReceiptKind.BLOCKED),
    **dict.fromkeys(("21610", "63014"), ReceiptKind.OPTED_OUT),
}

_LABELS: Mapping[str, ReceiptKind] = {
    "STOP": ReceiptKind.OPTED_OUT,
    "START": ReceiptKind.OPTED_IN,
    "HELP": ReceiptKind.HELP,
}

_MEANT: Mapping[Meant, ReceiptKind] = {
    Meant.STOP: ReceiptKind.OPTED_OUT,
    Meant.START: ReceiptKind.OPTED_IN,
    Meant.HELP: ReceiptKind.HELP,
    Meant.OTHER: ReceiptKind.REPLIED,
}
