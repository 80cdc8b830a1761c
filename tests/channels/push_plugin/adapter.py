"""Hands push notifications to Acme, which carries them to the phones behind its tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from channels.base import OutboundMessage, SendResult, SendStatus
from channels.errors import ChannelError
from channels.http_transport import HttpTransport
from channels.outcome import from_error, from_status


class Push:
    """One POST a message. Acme answers 410 for a token whose app is gone."""

    name = "push"
    provider = "acme"

    def __init__(self, url: str) -> None:
        self._url = url
        self._transport = HttpTransport(total=10.0)

    def send(self, message: OutboundMessage) -> SendResult:
        notification = {
            "token": message.address,
            "text": message.content.text,
            "expires_in": message.valid_seconds,
            **message.content.header,
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.message_id}
        try:
            answer = self._transport.request(
                "POST", self._url, headers=headers, content=json.dumps(notification).encode()
            )
        except ChannelError as error:
            return from_error(self.provider, error)
        if answer.status == 410:
            return SendResult(
                result=SendStatus.REFUSED, provider=self.provider, code="unregistered", mark_address=True
            )
        if answer.status >= 300:
            return from_status(self.provider, answer.status, answer.headers)
        return SendResult(
            result=SendStatus.SENT, provider=self.provider, provider_id=json.loads(answer.text)["id"]
        )


def from_settings(settings: Mapping[str, Any]) -> Push:
    """``settings`` are the engine's; where Acme listens comes from an environment variable of this package."""
    return Push(os.environ["ACME_PUSH_URL"])
