"""SendGrid, played: /v3/mail/send and the event webhook."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.fakes.http import Described, Reply, Request
from tests.fakes.ledger import Entry
from tests.fakes.signing import SendGridSigner

NAME = "sendgrid"

_OPERATIONS = {"/v3/mail/send": "send_mail", "/v3/recipients/erasejob": "erase"}
_LISTS = {"/v3/suppression/unsubscribes": "unsubscribes", "/v3/suppression/spam_reports": "spam_reports"}
_MOST_AT_ONCE = 500  # rows of a suppression list
PRESETS: dict[str, dict[str, Any]] = {
    "processed": {"smtp-id": "<1@ismtpd>"},
    "deferred": {"response": "400 try again later", "attempt": "1"},
    "delivered": {"response": "250 OK", "tls": 1},
    "open": {"useragent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Safari/605", "sg_machine_open": False},
    "machine_open": {"event": "open", "useragent": "Mozilla/5.0", "sg_machine_open": True},
    "click": {"url": "https://app.example.test/pricing", "useragent": "Mozilla/5.0 (X11; Linux) Firefox/140"},
    "scanner_click": {
        "event": "click",
        "url": "https://app.example.test/",
        "useragent": "Barracuda Sentinel",
    },
    "bounce": {"type": "bounce", "status": "5.1.1", "reason": "550 no such user"},
    "blocked": {
        "event": "bounce",
        "type": "blocked",
        "status": "5.7.1",
        "reason": "550 blocked by reputation",
    },
    "dropped": {"reason": "Bounced Address", "status": "5.0.0"},
    "spamreport": {},
    "unsubscribe": {},
    "group_unsubscribe": {"asm_group_id": 7},
    "group_resubscribe": {"asm_group_id": 7},
}


class SendGrid:
    """The state of one account: what it took, and the key by which it signs."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        self.signer = SendGridSigner()
        self._lock = threading.Lock()
        self._mails: dict[str, dict[str, Any]] = {}  # our message id -> what is known of the mail
        self._events = 0
        self.erased: set[str] = set()
        self.suppressed: dict[str, list[dict[str, Any]]] = {name: [] for name in _LISTS.values()}

    def describe(self, request: Request) -> Described:
        body = request.json
        people = body.get("personalizations") or [{}] if isinstance(body, dict) else [{}]
        to = (people[0].get("to") or [{}])[0].get("email")
        args = people[0].get("custom_args") or {}
        return Described(
            operation=_OPERATIONS.get(request.path, "other"),
            to=to,
            message_id=args.get("m"),
            fields=body if isinstance(body, dict) else {},
        )

    def handle(self, request: Request, entry: Entry) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return _error(401, "The provided authorization grant is invalid, expired, or revoked")
        if entry.operation == "erase":
            asked = entry.fields.get("email_addresses")
            if not isinstance(asked, list) or not 0 < len(asked) <= 5000:
                return _error(400, "email_addresses must hold 1 to 5000 addresses", "email_addresses")
            with self._lock:
                self.erased.update(asked)
            return Reply(status=202, body={"job_id": f"job{len(self.erased):08d}"})
        if request.method == "GET" and request.path in _LISTS:
            return self._list(_LISTS[request.path], dict(request.query))
        if entry.operation != "send_mail":
            return _error(404, "not found")
        if entry.violations:
            return _error(400, "Bad Request")
        if not entry.to or "@" not in entry.to or entry.to.endswith("@"):
            return _error(
                400, f"Does not contain a valid address: {entry.to}", "personalizations.0.to.0.email"
            )
        with self._lock:
            provider_id = f"sg{len(self._mails) + 1:08d}Qx"
            self._mails[entry.message_id or provider_id] = {"provider_id": provider_id, "to": entry.to}
        entry.taken, entry.provider_id = True, provider_id
        return Reply(status=202, headers={"X-Message-Id": provider_id})

    def suppress(self, name: str, email: str, at: int) -> None:
        """Put an address on a suppression list, as a person's own act at SendGrid does."""
        with self._lock:
            self.suppressed[name].append({"created": at, "email": email})

    def _list(self, name: str, query: dict[str, str]) -> Reply:
        start, offset = int(query.get("start_time", 0)), int(query.get("offset", 0))
        limit = min(int(query.get("limit", _MOST_AT_ONCE)), _MOST_AT_ONCE)
        with self._lock:
            rows = [row for row in self.suppressed[name] if row["created"] >= start]
        return Reply(status=200, body=rows[offset : offset + limit])

    def event(self, kind: str, message_id: str, at: int, **extra: Any) -> dict[str, Any]:
        """One event of the webhook about a mail that was taken (or, with ``email`` given, about a person)."""
        with self._lock:
            self._events += 1
            number = self._events
            mail = self._mails.get(message_id, {})
        event = {
            "event": kind,
            "email": mail.get("to", "nobody@example.test"),
            "timestamp": at,
            "sg_event_id": f"ev{number:020d}",
            "sg_message_id": f"{mail.get('provider_id', 'unknown')}.recvd-5f-1-{number}.0",
            "m": message_id,
        }
        event |= PRESETS.get(kind, {}) | extra
        return {name: value for name, value in event.items() if value is not None}

    def signed(
        self, events: list[Any] | bytes, at: int, *, corrupt: bool = False
    ) -> tuple[bytes, dict[str, str]]:
        body = events if isinstance(events, bytes) else json.dumps(events, indent=0).encode() + b"\r\n"
        headers = self.signer.headers(body + b"?" if corrupt else body, str(at))
        return body, headers


def _error(status: int, message: str, field: str | None = None) -> Reply:
    return Reply(status=status, body={"errors": [{"message": message, "field": field, "help": None}]})
