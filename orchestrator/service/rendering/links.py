"""Signed links: the keys customers carry in messages, and the tokens of the in-app feed.

A token holds row ids and words, never a name or an address, and is good for one purpose alone: a preference token
does not open a click link. Links in messages never expire, so a person can opt out with the oldest mail there is;
they stay readable as long as the key that signed them is among the signing keys. Feed tokens expire.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from itsdangerous import BadData, Serializer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from orchestrator.errors import BadToken

ANY = "*"
FEED_TOKEN_SECONDS = 24 * 3600
_LONGEST_TOKEN = 4096


class LinkSigner:
    """Writes and reads every signed link. ``keys`` are the signing keys, newest first.

    ``now`` replaces the machine's clock for feed tokens (seconds since 1970).
    """

    def __init__(
        self,
        *,
        base_url: str,
        keys: Sequence[str],
        feed_token_seconds: int = FEED_TOKEN_SECONDS,
        now: Callable[[], int] | None = None,
    ) -> None:
        if not keys:
            msg = "expected at least one signing key, got none"
            raise ValueError(msg)
        oldest_first = list(reversed(keys))  # itsdangerous signs with the last and accepts all

        def serializer(purpose: str) -> URLSafeSerializer:
            return _Plain(oldest_first, salt=f"orchestrator.{purpose}", signer_kwargs=_SIGNER)

        self.base_url = base_url.rstrip("/")
        self.feed_token_seconds = feed_token_seconds
        self._opt_out = serializer("opt_out")
        self._preferences = serializer("preferences")
        self._click = serializer("click")
        self._answer = serializer("answer")
        self._feed = URLSafeTimedSerializer(
            oldest_first,
            salt="orchestrator.feed",
            signer=_signer_with(now) if now else TimestampSigner,
            signer_kwargs=_SIGNER,
        )

    def opt_out_url(
        self, customer_id: int, topic: str = ANY, *, channel: str = ANY, message_id: str | None = None
    ) -> str:
        """The page that stops ``topic`` on ``channel`` (``*``: all of them) with one button."""
        return f"{self.base_url}/u/{self._dump(self._opt_out, [customer_id, channel, topic, message_id])}"

    def one_click_url(
        self, customer_id: int, topic: str = ANY, *, channel: str = ANY, message_id: str | None = None
    ) -> str:
        """The address of the List-Unsubscribe header (RFC 8058): the opt-out page, which also takes the POST."""
        return self.opt_out_url(customer_id, topic, channel=channel, message_id=message_id)

    def preferences_url(self, customer_id: int) -> str:
        return f"{self.base_url}/p/{self.preferences_token(customer_id)}"

    def preferences_token(self, customer_id: int) -> str:
        return self._dump(self._preferences, [customer_id])

    def click_url(self, message_id: str, name: str, target: str) -> str:
        """A redirect to ``target`` that records the click of the link ``name``."""
        return f"{self.base_url}/c/{self._dump(self._click, [message_id, name, target])}"

    def answer_url(self, message_id: str, answer: str | None = None) -> str:
        """The page of an ``ask`` sent by email; ``answer`` is the answer chosen in the mail, to be confirmed there."""
        return f"{self.base_url}/a/{self._dump(self._answer, [message_id, answer])}"

    def feed_token(self, customer_id: int) -> str:
        """What a product's page shows to read one customer's feed, for :attr:`feed_token_seconds`."""
        return self._dump(self._feed, [customer_id])

    def read_opt_out(self, token: str) -> tuple[int, str, str, str | None]:
        """(customer_id, channel, topic, message_id). Raises BadToken, as all readers do."""
        match _load(self._opt_out, token):
            case [int(customer_id), str(channel), str(topic), str() | None as message_id]:
                return customer_id, channel, topic, message_id
            case _:
                raise _bad()

    def read_preferences(self, token: str) -> int:
        match _load(self._preferences, token):
            case [int(customer_id)]:
                return customer_id
            case _:
                raise _bad()

    def read_click(self, token: str) -> tuple[str, str, str]:
        """(message_id, link name, target)."""
        match _load(self._click, token):
            case [str(message_id), str(name), str(target)]:
                return message_id, name, target
            case _:
                raise _bad()

    def read_answer(self, token: str) -> tuple[str, str | None]:
        """(message_id, the answer chosen in the mail)."""
        match _load(self._answer, token):
            case [str(message_id), str() | None as answer]:
                return message_id, answer
            case _:
                raise _bad()

    def read_feed_token(self, token: str) -> int:
        match _load(self._feed, token, max_age=self.feed_token_seconds):
            case [int(customer_id)]:
                return customer_id
            case _:
                raise _bad()

    @staticmethod
    def _dump(serializer: Serializer[str], facts: list[Any]) -> str:
        return serializer.dumps(facts)


class _Plain(URLSafeSerializer):
    """Without the attempt at compression, which costs more than the signature and makes no short token shorter."""

    def dump_payload(self, obj: Any) -> bytes:
        return base64_encode(json.dumps(obj, separators=(",", ":")))


_BAD = "this link is not one of ours, or it was changed on its way; open it again from the message"
_SIGNER = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}


def _load(serializer: Serializer[str], token: str, **how: Any) -> object:
    if len(token) > _LONGEST_TOKEN:
        raise _bad()
    try:
        return serializer.loads(token, **how)
    except (BadData, ValueError) as error:  # ValueError: text that is no ASCII
        raise _bad() from error


def _bad() -> BadToken:
    return BadToken(_BAD)


def _signer_with(now: Callable[[], int]) -> type[TimestampSigner]:
    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return now()

    return Signer
