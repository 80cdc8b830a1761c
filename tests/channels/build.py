"""Builders of the channel tests: a message with everything in it, and each channel as it is really built."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from channels.base import Channel, Content, OutboundMessage
from channels.function import FunctionCall, FunctionChannel
from channels.http_transport import HttpTransport
from channels.in_app import InAppChannel
from channels.sandbox import SandboxChannel
from channels.sendgrid.adapter import EmailSendGrid
from channels.twilio.client import TwilioClients
from channels.twilio.conversations import ChatTwilio
from channels.twilio.messages import SmsTwilio
from channels.webhook import WebhookChannel
from tests.fakes.provider import FakeProvider

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SECRET = "shared-secret"
OPT_OUT = "https://go.example.test/u/opaque-token-1234"

CONTENT = Content(
    text="Your team uses 9 of 10 seats.",
    html=f'<html><body><p>9 of 10</p><a href="{OPT_OUT}">leave</a></body></html>',
    header={"subject": "Nearly full", "preheader": "One seat left"},
)

ADDRESSES = {
    "email": "ada@example.test",
    "sms": "+14155550101",
    "whatsapp": "+14155550101",
    "chat": "ada",
    "in_app": "ada",
    "call": "ada",
}


def outgoing(channel: str = "email", *, text: str | None = None, **facts: Any) -> OutboundMessage:
    content = facts.pop("content", CONTENT)
    if text is not None:
        content = replace(content, text=text)
    header = facts.pop("header", None)
    if header is not None:
        content = replace(content, header=header)
    given: dict[str, Any] = {
        "message_id": "m_1",
        "customer_id": 7,
        "customer_key": "ada",
        "channel": channel,
        "address": ADDRESSES.get(channel, "ada"),
        "content": content,
        "topic": "upsell",
        "promotional": True,
        "opt_out_url": OPT_OUT,
        "one_click_url": OPT_OUT,
        "list_id": "upsell.example.test",
        "status_url": "https://hooks.example.test/webhooks/twilio/status?m=m_1",
    }
    return OutboundMessage(**(given | facts))


def wire(total: float = 10.0, **facts: Any) -> HttpTransport:
    return HttpTransport(total=total, connect=min(total, 2.0), **facts)


def email(provider: FakeProvider, *, base_url: str | None = None, total: float = 10.0) -> EmailSendGrid:
    return EmailSendGrid(
        api_key=provider.api_key,
        sender="team@example.test",
        sender_name="The team",
        base_url=base_url or provider.url,
        wire=wire(total),
    )


def clients(provider: FakeProvider, *, base_url: str | None = None, total: float = 10.0) -> TwilioClients:
    return TwilioClients(
        account_sid=provider.account_sid,
        auth_token=provider.auth_token,
        base_url=base_url or provider.url,
        wire=wire(total),
    )


def sms(
    provider: FakeProvider,
    *,
    name: str = "sms",
    sender: str = "+15005550006",
    base_url: str | None = None,
    total: float = 10.0,
) -> SmsTwilio:
    return SmsTwilio(
        account_sid=provider.account_sid,
        auth_token=provider.auth_token,
        sender=sender,
        name=name,
        clients=clients(provider, base_url=base_url, total=total),
    )


def chat(
    provider: FakeProvider, *, thread_per: str = "message", base_url: str | None = None, total: float = 10.0
) -> ChatTwilio:
    return ChatTwilio(
        account_sid=provider.account_sid,
        auth_token=provider.auth_token,
        thread_per=thread_per,
        proxy="+15005550006",
        clients=clients(provider, base_url=base_url, total=total),
    )


def webhook(*, hosts: tuple[str, ...] = ("127.0.0.1",), seconds: float = 10.0) -> WebhookChannel:
    return WebhookChannel(secrets=[SECRET], now=lambda: NOON, http_hosts=hosts, seconds=seconds)


def every_channel(provider: FakeProvider, hook_url: str) -> dict[str, tuple[Channel, OutboundMessage]]:
    """Each channel, with a message that it can deliver."""

    def answer(call: FunctionCall) -> dict[str, str]:
        return {"customer": call.customer}

    return {
        "email": (email(provider), outgoing("email")),
        "sms": (sms(provider), outgoing("sms")),
        "whatsapp": (sms(provider, name="whatsapp"), outgoing("whatsapp")),
        "chat": (chat(provider), outgoing("chat")),
        "in_app": (InAppChannel(), outgoing("in_app")),
        "sandbox": (SandboxChannel("email"), outgoing("email")),
        "webhook": (webhook(), outgoing("webhook", address=hook_url)),
        "call": (FunctionChannel({"lookup": answer}), outgoing("call", kind="call", target="lookup")),
    }
