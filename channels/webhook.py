"""A signed HTTP POST to somebody's own system: a CRM, a chat tool, a push service, or a ``call`` step.

The receiver can prove who sent it and drop repeats::

    POST /their/path
    Content-Type: application/json
    Idempotency-Key: m_7f3a...                    the same for every attempt of one message
    Orchestrator-Signature: t=1767225600,v1=<hex> HMAC-SHA256 of "<t>.<body>" with the shared secret

Several ``v1`` parts may stand in one header while a secret is being changed. :func:`verify_signature` is what a
receiver written in Python calls.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from channels.base import OutboundMessage, SendResult, SendStatus
from channels.errors import BadChannelError, BadSignatureError, ChannelError, ForbiddenError
from channels.http_transport import HttpTransport, public_only
from channels.outcome import from_error, from_status, unusable
from channels.settings_values import texts

SIGNATURE_HEADER = "Orchestrator-Signature"
KEY_HEADER = "Idempotency-Key"


class WebhookChannel:
    """The webhook channel: https only, public addresses only, no redirects, 10 s in all.

    ``http_hosts`` may be called over plain http and may have private addresses: a receiver beside us, a test.
    ``allow_private`` lifts the address guard for all hosts, where every URL is written by the operator.
    """

    provider = "webhook"

    def __init__(
        self,
        *,
        secrets: Sequence[str],
        now: Callable[[], datetime],
        name: str = "webhook",
        http_hosts: Iterable[str] = (),
        allow_private: bool = False,
        seconds: float = 10.0,
        wire: HttpTransport | None = None,
    ) -> None:
        if not secrets or not all(secrets):
            raise BadChannelError("the webhook channel expects at least one signing secret, newest first")
        self.name = name
        self._secrets = tuple(secrets)
        self._now = now
        self._http_hosts = frozenset(host.lower() for host in http_hosts)
        self._wire = wire or HttpTransport(
            total=seconds, guard=None if allow_private else public_only, trusted_hosts=self._http_hosts
        )

    def send(self, message: OutboundMessage) -> SendResult:
        try:
            self._check(message.address)
            body = json.dumps(payload(message), ensure_ascii=False, default=str).encode()
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "orchestrator-webhook/1",
                KEY_HEADER: message.message_id,
                SIGNATURE_HEADER: sign(body, self._secrets, self._now()),
            }
            answer = self._wire.request("POST", message.address, headers=headers, content=body)
        except ChannelError as error:
            return from_error(self.provider, error)
        if not 200 <= answer.status < 300:
            return from_status(self.provider, answer.status, answer.headers)
        if message.kind != "call":
            return SendResult(result=SendStatus.SENT, provider=self.provider, provider_id=message.message_id)
        try:
            given = json.loads(answer.body) if answer.body.strip() else {}
        except ValueError:
            return unusable(self.provider, answer)
        if not isinstance(given, dict):
            return unusable(self.provider, answer)
        return SendResult(
            result=SendStatus.SENT, provider=self.provider, provider_id=message.message_id, answer=given
        )

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise ForbiddenError("bad_url") from None
        if not host or parts.username is not None:
            raise ForbiddenError("bad_url")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in self._http_hosts):
            raise ForbiddenError("https_only")

    def close(self) -> None:
        self._wire.close()


def payload(message: OutboundMessage) -> dict[str, Any]:
    """The body: what the receiver needs to act, under names that stay."""
    content = message.content
    body: dict[str, Any] = {
        "message_id": message.message_id,
        "kind": message.kind,
        "customer": message.customer_key,
        "topic": message.topic,
        "promotional": message.promotional,
        "text": content.text,
    }
    optional: dict[str, Any] = {
        "html": content.html,
        "header": dict(content.header),
        "choices": [{"key": key, "words": words} for key, words in content.choices],
        "scale": list(content.scale) if content.scale else None,
        "links": dict(content.links),
        "target": message.target,
        "context": dict(message.context),
        "opt_out_url": message.opt_out_url,
    }
    return body | {name: value for name, value in optional.items() if value}


def sign(body: bytes, secrets: Sequence[str], at: datetime) -> str:
    """The value of the signature header."""
    stamp = str(int(at.timestamp()))
    return ",".join([f"t={stamp}", *(f"v1={_mac(body, secret, stamp)}" for secret in secrets)])


def verify_signature(
    body: bytes, header: str | None, secrets: Sequence[str], *, now: datetime, tolerance: float = 300.0
) -> None:
    """Raises :class:`BadSignatureError` unless ``header`` signs exactly these bytes, lately, with a secret of ours."""
    parts = [part.strip().partition("=") for part in (header or "").split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1 or not stamps[0].isdecimal() or len(stamps[0]) > 12 or not given:
        raise BadSignatureError(f"expected {SIGNATURE_HEADER}: t=<seconds>,v1=<hex>, got something else")
    wanted = [_mac(body, secret, stamps[0]).encode() for secret in secrets]
    matches = [hmac.compare_digest(mac, value.encode()) for mac in wanted for value in given]
    if not any(matches):
        raise BadSignatureError(
            "no signature matches; compare the secret, and sign the raw bytes of the body"
        )
    if abs(now.timestamp() - int(stamps[0])) > tolerance:
        raise BadSignatureError(f"signed more than {tolerance:g} s from now; compare the clocks")


def _mac(body: bytes, secret: str, stamp: str) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def from_settings(settings: Mapping[str, Any]) -> WebhookChannel:
    """Build the channel from settings; ``now`` is the engine's clock."""
    return WebhookChannel(
        secrets=texts(settings, "webhook_secrets"),
        now=settings["now"],
        http_hosts=texts(settings, "webhook_http_hosts"),
        allow_private=bool(settings.get("webhook_allow_private")),
    )
