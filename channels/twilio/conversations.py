"""Chat through Twilio Conversations.

A conversation is named after the message that opens it. So opening one twice is the same as opening it once, a
lost answer before the message itself can simply be tried again, and before a repeated attempt writes anything it
can look whether the first one got through. Replies carry the conversation's SID, which is this channel's
``provider_id``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from channels.base import ForgetResult, OutboundMessage, SendResult, SendStatus
from channels.errors import ChannelError, InDoubtError
from channels.http_transport import time_limit
from channels.settings_values import text
from channels.twilio.client import PROVIDER, TwilioClients
from channels.wording import plain_text

MAX_BODY = 1600
_NAME_TAKEN = 50353
_ALREADY_IN = (50416, 50433)
_HOOKS = "true"  # without it what we write fires no webhooks, and an agent's tool would not hear of it


class ChatTwilio:
    """The chat channel. ``author`` is the name under which we write; callbacks with it are our own echo.

    ``thread_per`` is ``message`` (a conversation for each message, every reply is certain) or ``customer`` (one
    going on for ever, as a messenger shows it). Addresses that are phone numbers join through ``proxy``, the
    number on our side; all others join by identity.
    """

    name = "chat"
    provider = PROVIDER

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        author: str = "team",
        thread_per: str = "message",
        proxy: str | None = None,
        service_sid: str | None = None,
        base_url: str | Mapping[str, str] | None = None,
        clients: TwilioClients | None = None,
    ) -> None:
        self._author = author
        self._per_customer = thread_per == "customer"
        self._proxy = proxy
        self._service_sid = service_sid
        self._clients = clients or TwilioClients(
            account_sid=account_sid, auth_token=auth_token, base_url=base_url
        )

    def send(self, message: OutboundMessage) -> SendResult:
        body = plain_text(message.content)
        if len(body) > MAX_BODY:
            detail = f"a chat message holds at most {MAX_BODY} characters, this one has {len(body)}"
            return SendResult(
                result=SendStatus.REFUSED, provider=self.provider, code="too_long", detail=detail
            )
        client = self._clients.get()
        with time_limit(self._clients.wire.total):
            try:
                conversation, opened_before = self._open(client, message)
                self._join(client, conversation, message.address)
                spoken = opened_before and self._spoken(client, conversation, message.message_id)
            except Exception as error:  # noqa: BLE001  a broken answer breaks the library in ways without a list
                return self._nothing_said(error)
            if message.kind == "handoff" or spoken:
                # A hand-over tells the agent, through the conversation's attributes; the customer hears nothing.
                return self._handed(conversation)
            try:
                self._all(client)(conversation).messages.create(
                    author=self._author,
                    body=body,
                    attributes=json.dumps({"m": message.message_id}),
                    x_twilio_webhook_enabled=_HOOKS,
                )
            except Exception as error:  # noqa: BLE001
                return self._clients.handed(error)
        return self._handed(conversation)

    def forget(
        self, *, addresses: Sequence[str], provider_ids: Sequence[str], seconds: float
    ) -> ForgetResult:
        """Delete the conversations, with everything said in them."""
        del addresses
        return self._clients.each(provider_ids, seconds, lambda client, sid: self._all(client)(sid).delete())

    def _open(self, client: Client, message: OutboundMessage) -> tuple[str, bool]:
        """The conversation's SID, and whether it was there before."""
        name = f"customer-{message.customer_id}" if self._per_customer else message.message_id
        try:
            opened = self._all(client).create(
                unique_name=name,
                attributes=json.dumps(self._attributes(message)),
                x_twilio_webhook_enabled=_HOOKS,
            )
            return str(opened.sid), False
        except TwilioRestException as error:
            if error.code != _NAME_TAKEN and error.status != 409:
                raise
        found = self._all(client)(name).fetch()
        if message.kind == "handoff":
            attributes = json.dumps(self._attributes(message))
            self._all(client)(name).update(attributes=attributes)
        return str(found.sid), True

    @staticmethod
    def _attributes(message: OutboundMessage) -> dict[str, Any]:
        facts: dict[str, Any] = {"m": message.message_id, "topic": message.topic, "kind": message.kind}
        if message.kind == "handoff":
            facts |= {
                "target": message.target,
                "brief": message.content.text,
                "context": json.loads(json.dumps(dict(message.context), default=str)),
            }
        return facts

    def _join(self, client: Client, conversation: str, address: str) -> None:
        participants = self._all(client)(conversation).participants
        try:
            if address.startswith(("+", "whatsapp:")):
                participants.create(
                    messaging_binding_address=address, messaging_binding_proxy_address=self._proxy or ""
                )
            else:
                participants.create(identity=address)
        except TwilioRestException as error:
            if error.code not in _ALREADY_IN and error.status != 409:
                raise

    def _all(self, client: Client) -> Any:
        """The conversations of the chosen service, or of the account's default one."""
        v1 = client.conversations.v1
        return v1.services(self._service_sid).conversations if self._service_sid else v1.conversations

    def _spoken(self, client: Client, conversation: str, message_id: str) -> bool:
        """Whether an earlier attempt already wrote this message."""
        messages = self._all(client)(conversation).messages
        recent = messages.list(order="desc", limit=50, page_size=50)
        return any(message_id in (said.attributes or "") for said in recent)

    def _nothing_said(self, error: Exception) -> SendResult:
        """Before the message is written the customer has heard nothing: whatever is in doubt may be repeated."""
        if isinstance(error, InDoubtError):
            return SendResult(result=SendStatus.TRY_AGAIN, provider=self.provider, code=error.code)
        handed = self._clients.handed(error)
        if handed.result is not SendStatus.UNCERTAIN:
            return handed
        detail = handed.detail if isinstance(error, (TwilioException, ChannelError)) else "unusable answer"
        return SendResult(
            result=SendStatus.TRY_AGAIN, provider=self.provider, code=handed.code, detail=detail
        )

    def _handed(self, conversation: str) -> SendResult:
        return SendResult(result=SendStatus.SENT, provider=self.provider, provider_id=conversation)

    def close(self) -> None:
        self._clients.wire.close()


def from_settings(settings: Mapping[str, Any]) -> ChatTwilio:
    """Build the chat channel from settings."""
    return ChatTwilio(
        account_sid=text(settings, "twilio_account_sid"),
        auth_token=text(settings, "twilio_auth_token"),
        author=text(settings, "chat_author") or "team",
        thread_per=text(settings, "chat_thread_per") or "message",
        proxy=text(settings, "twilio_from") or None,
        service_sid=text(settings, "twilio_conversations_service_sid") or None,
        base_url=text(settings, "twilio_base_url") or None,
    )
