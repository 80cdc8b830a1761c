"""SMS and WhatsApp through Twilio Messages, by its official library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from channels.base import ForgetResult, OutboundMessage, SendResult, SendStatus
from channels.errors import BadChannelError
from channels.settings_values import text
from channels.twilio.client import PROVIDER, TwilioClients
from channels.wording import plain_text

MAX_BODY = 1600
_VALIDITY = (1, 36_000)


class SmsTwilio:
    """The sms channel, or the whatsapp channel: they differ by the prefix of addresses and by templates.

    ``sender`` is a number, a short code, a name, or a Messaging Service (``MG...``). For WhatsApp outside the
    24 hours after a person's last message, the template header names an approved template: ``content_sid``, and
    ``content_variables`` as a JSON text.
    """

    provider = PROVIDER

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        name: str = "sms",
        base_url: str | Mapping[str, str] | None = None,
        clients: TwilioClients | None = None,
    ) -> None:
        if not sender:
            raise BadChannelError(
                f"the {name} channel expects a sender number or a Messaging Service SID; "
                "set ORCHESTRATOR_TWILIO_FROM"
            )
        if name not in ("sms", "whatsapp"):
            raise BadChannelError(f"expected the channel name 'sms' or 'whatsapp', got {name!r}")
        self.name = name
        self._prefix = "whatsapp:" if name == "whatsapp" else ""
        self._sender = sender
        self._clients = clients or TwilioClients(
            account_sid=account_sid, auth_token=auth_token, base_url=base_url
        )

    def send(self, message: OutboundMessage) -> SendResult:
        fields = self.fields(message)
        if len(fields.get("body", "")) > MAX_BODY:
            detail = f"a message holds at most {MAX_BODY} characters, this one has {len(fields['body'])}"
            return SendResult(
                result=SendStatus.REFUSED, provider=self.provider, code="too_long", detail=detail
            )
        try:
            created = self._clients.get().messages.create(**fields)
        except Exception as error:  # noqa: BLE001  a broken answer breaks the library in ways without a list
            return self._clients.handed(error)
        if not created.sid:
            return SendResult(result=SendStatus.UNCERTAIN, provider=self.provider, code="no_sid")
        return SendResult(result=SendStatus.SENT, provider=self.provider, provider_id=created.sid)

    def forget(
        self, *, addresses: Sequence[str], provider_ids: Sequence[str], seconds: float
    ) -> ForgetResult:
        """Blank the text of every message; Twilio keeps the number itself for its accounts."""
        del addresses
        return self._clients.each(
            provider_ids, seconds, lambda client, sid: client.messages(sid).update(body="")
        )

    def fields(self, message: OutboundMessage) -> dict[str, Any]:
        """The arguments of the library's call."""
        fields: dict[str, Any] = {"to": self._with_prefix(message.address)}
        if self._sender.startswith("MG"):
            fields["messaging_service_sid"] = self._sender
        else:
            fields["from_"] = self._with_prefix(self._sender)
        header = message.content.header
        if header.get("content_sid"):
            fields["content_sid"] = header["content_sid"]
            if header.get("content_variables"):
                fields["content_variables"] = header["content_variables"]
        else:
            fields["body"] = plain_text(message.content)
        if message.status_url:
            fields["status_callback"] = message.status_url
        if message.valid_seconds is not None:
            low, high = _VALIDITY
            fields["validity_period"] = min(max(message.valid_seconds, low), high)
        return fields

    def _with_prefix(self, address: str) -> str:
        return address if address.startswith(self._prefix) else self._prefix + address

    def close(self) -> None:
        self._clients.wire.close()


def from_settings(settings: Mapping[str, Any]) -> SmsTwilio:
    """Build the sms channel from settings."""
    return _from_settings(settings, name="sms", sender=text(settings, "twilio_from"))


def whatsapp_from_settings(settings: Mapping[str, Any]) -> SmsTwilio:
    """Build the whatsapp channel from settings."""
    sender = text(settings, "twilio_whatsapp_from") or text(settings, "twilio_from")
    return _from_settings(settings, name="whatsapp", sender=sender)


def _from_settings(settings: Mapping[str, Any], *, name: str, sender: str) -> SmsTwilio:
    return SmsTwilio(
        account_sid=text(settings, "twilio_account_sid"),
        auth_token=text(settings, "twilio_auth_token"),
        sender=sender,
        name=name,
        base_url=text(settings, "twilio_base_url") or None,
    )
