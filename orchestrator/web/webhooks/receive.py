"""Where providers report: signature first, over the bytes as they came, then one append and a fast answer.

A provider without configured keys is refused: an unsigned report could opt people out or fake a delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, Request, Response

from channels.base import Receipt, ReceiptKind
from channels.callbacks import Parsed
from channels.errors import BadSignatureError
from channels.sendgrid import callbacks as callbacks_sendgrid
from channels.twilio import callbacks as callbacks_twilio
from orchestrator import telemetry
from orchestrator.engine import Engine
from orchestrator.web.customer_pages.translations import words_for
from orchestrator.web.deps import TheSettings, TheWithdrawals
from orchestrator.web.problems import ProblemDetails

router = APIRouter(prefix="/webhooks", tags=["providers"], include_in_schema=False)


async def _raw(request: Request) -> bytes:
    return await request.body()


Raw = Annotated[bytes, Depends(_raw)]


@router.post("/sendgrid", status_code=204, response_class=Response)
def sendgrid(engine: TheWithdrawals, settings: TheSettings, request: Request, body: Raw) -> None:
    """SendGrid's event webhook, signed."""
    keys = (settings.sendgrid_webhook_public_key or "").replace(",", " ").split()
    if not keys:
        raise _not_configured("sendgrid", "ORCHESTRATOR_SENDGRID_WEBHOOK_PUBLIC_KEY")
    try:
        callbacks_sendgrid.verify(body, request.headers, keys, now=engine.reports.instants().machine)
    except BadSignatureError as error:
        raise _forged("sendgrid", error) from error
    _take(engine, "sendgrid", callbacks_sendgrid.parse(body))


@router.post("/twilio/status", status_code=204, response_class=Response)
def twilio_status(engine: TheWithdrawals, settings: TheSettings, request: Request, body: Raw) -> None:
    """What became of an SMS or WhatsApp message."""
    url = _verified(settings, request, body)
    _take(
        engine,
        "twilio",
        callbacks_twilio.parse_status(body, url, received_at=engine.reports.instants().business),
    )


@router.post("/twilio/inbound")
def twilio_inbound(engine: TheWithdrawals, settings: TheSettings, request: Request, body: Raw) -> Response:
    """What a person wrote back: STOP acts at once for everybody with that number, HELP is answered."""
    _verified(settings, request, body)
    parsed = callbacks_twilio.parse_inbound(body, received_at=engine.reports.instants().business)
    _take(engine, "twilio", parsed)
    return _twiml(_reply(parsed.receipts))


@router.post("/twilio/conversations", status_code=204, response_class=Response)
def twilio_conversations(engine: TheWithdrawals, settings: TheSettings, request: Request, body: Raw) -> None:
    """What happened in a chat."""
    _verified(settings, request, body)
    _take(
        engine,
        "twilio",
        callbacks_twilio.parse_conversation(body, received_at=engine.reports.instants().business),
    )


def _verified(settings: TheSettings, request: Request, body: bytes) -> str:
    """The URL Twilio called, rebuilt from the public one; Problem unless Twilio signed it."""
    if settings.twilio_auth_token is None:
        raise _not_configured("twilio", "ORCHESTRATOR_TWILIO_AUTH_TOKEN")
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    url = settings.base_url + path.decode("latin-1")
    if request.scope["query_string"]:
        url += "?" + request.scope["query_string"].decode("latin-1")
    try:
        callbacks_twilio.verify(body, request.headers, url, settings.twilio_auth_token.get_secret_value())
    except BadSignatureError as error:
        raise _forged("twilio", error) from error
    return url


def _take(engine: Engine, source: str, parsed: Parsed) -> None:
    for problem in parsed.problems:
        telemetry.emit("webhook.refused", source=source, reason=f"{problem.reason} [{problem.digest}]")
    if parsed.receipts:
        report = engine.receive(parsed.receipts)
        telemetry.emit(
            "webhook.received",
            source=source,
            facts=len(parsed.receipts),
            new=report.taken,
            unknown=len(report.refused),
        )


def _reply(receipts: Sequence[Receipt]) -> str | None:
    """What we say back, unless the provider has said it already."""
    for receipt in receipts:
        if receipt.detail.get("answered_by_provider"):
            return None
        words = words_for(None, None)
        match receipt.kind:
            case ReceiptKind.OPTED_OUT:
                return words("sms_stopped")
            case ReceiptKind.OPTED_IN:
                return words("sms_started")
            case ReceiptKind.HELP:
                return words("sms_help")
            case _:
                continue
    return None


def _twiml(text: str | None) -> Response:
    inner = f"<Message>{escape(text)}</Message>" if text else ""
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', media_type="text/xml"
    )


def _forged(source: str, error: BadSignatureError) -> ProblemDetails:
    telemetry.emit("webhook.refused", source=source, reason=str(error))
    return ProblemDetails(403, "bad_signature", str(error))


def _not_configured(source: str, setting: str) -> ProblemDetails:
    telemetry.emit("webhook.refused", source=source, reason=f"{setting} is not set")
    return ProblemDetails(403, "not_configured", f"reports of {source} are refused until {setting} is set")
