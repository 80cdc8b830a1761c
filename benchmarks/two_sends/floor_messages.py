"""What the floor hands over: two templates, three signed links, and the content as the sandbox keeps it.

The links are those of the engine (a test opens them with its reader), signed with the standard library alone: the key
of each purpose is derived once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jinja2

from benchmarks.two_sends import workload
from benchmarks.two_sends.floor_walk import Walk

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Writer:
    """Renders and signs. Its templates are compiled once."""

    def __init__(self) -> None:
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # plain text
        self._subjects = {name: environment.from_string(text) for name, text in workload.SUBJECTS.items()}
        self._bodies = {name: environment.from_string(text) for name, text in workload.BODIES.items()}
        self._keys = {purpose: _key(purpose) for purpose in ("opt_out", "preferences", "click")}

    def write(self, walk: Walk) -> str:
        """The message's content as JSON."""
        message_id = public_id(walk.customer_id, walk.message_id)
        opt_out = self._signed("opt_out", "u", [walk.customer_id, "*", workload.TOPIC, message_id])
        links: dict[str, str] = {}

        def link(name: str, target: str) -> str:
            links[name] = self._signed("click", "c", [message_id, name, target])
            return links[name]

        values = {
            **walk.attributes,
            "because": workload.BECAUSE,
            "sender": workload.SENDER,
            "link": link,
            "opt_out_url": opt_out,
            "preferences_url": self._signed("preferences", "p", [walk.customer_id]),
        }
        step = walk.state["step"]
        said = {
            "text": self._bodies[step].render(values).strip(),
            "html": None,
            "header": {"subject": self._subjects[step].render(values)},
            "links": links,
            "choices": [],
            "scale": None,
        }
        return json.dumps(
            {
                "kind": "send", "topic": workload.TOPIC, "track": True, "target": None, "address": walk.address,
                "content": said, "context": {}, "display": None, "list_id": f"{workload.TOPIC}.127.0.0.1",
                "expires_at": None, "status_url": f"{workload.BASE_URL}/webhooks/twilio/status?m={message_id}",
                "opt_out_url": opt_out, "promotional": True, "one_click_url": opt_out, "valid_seconds": 36000,
            }
        )  # fmt: skip

    def _signed(self, purpose: str, path: str, facts: list[Any]) -> str:
        payload = _encoded(json.dumps(facts, separators=(",", ":")).encode())
        signature = hmac.digest(self._keys[purpose], payload, hashlib.sha256)
        return f"{workload.BASE_URL}/{path}/{payload.decode()}.{_encoded(signature).decode()}"


def public_id(customer_id: int, message_id: int) -> str:
    return f"m_{_digits(customer_id)}-{_digits(message_id)}"


def _digits(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _key(purpose: str) -> bytes:
    return hmac.digest(workload.SIGNING_KEY.encode(), f"orchestrator.{purpose}".encode(), hashlib.sha256)
