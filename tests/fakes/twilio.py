"""Twilio Messages, played: create, fetch, list, update, opt-out lists and what the status callback carries."""

from __future__ import annotations

import re
import threading
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http import Described, Reply, Request
from tests.fakes.ledger import Entry

NAME = "twilio"
_E164 = re.compile(r"^(?:whatsapp:)?\+[1-9]\d{6,14}$")
STOP = {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
START = {"START", "YES", "UNSTOP"}


class Twilio:
    """One account: its messages and who said STOP to it."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self._lock = threading.Lock()
        self._messages: dict[str, dict[str, Any]] = {}
        self._callbacks: dict[str, str] = {}
        self._by_our_id: dict[str, str] = {}
        self._opted_out: set[str] = set()
        self._inbound = 0

    def describe(self, request: Request) -> Described:
        form = dict(request.form)
        create = request.method == "POST" and request.path.endswith("/Messages.json")
        ours = parse_qs(urlsplit(form.get("StatusCallback", "")).query).get("m", [None])[0]
        return Described(
            operation="send_message" if create else f"{request.method.lower()}_message",
            to=form.get("To"),
            message_id=ours,
            fields=form,
        )

    def handle(self, request: Request, entry: Entry) -> Reply:
        base = f"/2010-04-01/Accounts/{self.account_sid}/Messages"
        if not request.path.startswith(base):
            return error(404, 20404, "The requested resource was not found")
        if entry.operation == "send_message":
            return self._create(entry)
        if request.path == f"{base}.json":
            return self._list(dict(request.query))
        sid = request.path.removeprefix(f"{base}/").removesuffix(".json")
        with self._lock:
            message = self._messages.get(sid)
            if message is None:
                return error(404, 20404, "The requested resource was not found")
            if request.method == "POST":
                message.update({"body": ""} if entry.fields.get("Body") == "" else {})
                message.update({"status": "canceled"} if entry.fields.get("Status") == "canceled" else {})
            return Reply(status=200, body=dict(message))

    def _create(self, entry: Entry) -> Reply:
        to, form = entry.to or "", entry.fields
        if not _E164.match(to):
            return error(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not form.get("From") and not form.get("MessagingServiceSid"):
            return error(400, 21603, "A 'From' or 'MessagingServiceSid' parameter is required")
        if not form.get("Body") and not form.get("ContentSid"):
            return error(400, 21619, "A text message body or media urls must be specified")
        if "_" in (urlsplit(form.get("StatusCallback", "")).hostname or ""):
            return error(400, 21609, "The StatusCallback URL is not a valid URL")
        with self._lock:
            if to in self._opted_out:
                return error(400, 21610, "Attempt to send to unsubscribed recipient")
            sid = f"SM{len(self._messages) + 1:032x}"
            self._messages[sid] = self._resource(sid, form)
            if form.get("StatusCallback"):
                self._callbacks[sid] = form["StatusCallback"]
            if entry.message_id:
                self._by_our_id[entry.message_id] = sid
            entry.taken, entry.provider_id = True, sid
            return Reply(status=201, body=dict(self._messages[sid]))

    def _resource(self, sid: str, form: dict[str, str]) -> dict[str, Any]:
        uri = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{sid}"
        now = formatdate()
        return {
            "sid": sid,
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": form.get("Body", ""),
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "status": "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": form.get("To"),
            "uri": f"{uri}.json",
        }

    def _list(self, query: dict[str, str]) -> Reply:
        with self._lock:
            found = [dict(row) for row in self._messages.values() if query.get("To") in (None, row["to"])]
        found.reverse()
        uri = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json?Page=0&PageSize=50"
        page = {"page": 0, "page_size": 50, "start": 0, "end": max(len(found) - 1, 0), "uri": uri}
        links = {"first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None}
        return Reply(status=200, body={"messages": found, **page, **links})

    def sid_of(self, name: str) -> str:
        """The SID of a message named by its SID or by our id."""
        with self._lock:
            return self._by_our_id.get(name, name)

    def status(
        self, sid: str, status: str, error_code: int | None = None
    ) -> tuple[str | None, list[tuple[str, str]]]:
        """Move a message on; gives the callback's URL and fields."""
        with self._lock:
            message = self._messages[sid]
            message["status"], message["error_code"] = status, error_code
            url = self._callbacks.get(sid)
        fields = [
            ("AccountSid", self.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("From", message["from"] or "+15005550006"),
            ("MessageSid", sid),
            ("MessageStatus", status),
            ("SmsSid", sid),
            ("SmsStatus", status),
            ("To", message["to"]),
        ]
        if error_code is not None:
            fields.append(("ErrorCode", str(error_code)))
        if status in ("delivered", "undelivered"):
            fields.append(("RawDlrDoneDate", "2611210930"))
        return url, fields

    def inbound(
        self, sender: str, to: str, body: str, *, opt_out_type: str | None = None, **extra: str
    ) -> list[tuple[str, str]]:
        """A message from a person; the network's own words change who may be written to."""
        with self._lock:
            self._inbound += 1
            sid = f"SM{0xF000_0000 + self._inbound:032x}"
            if body.strip().upper() in STOP or opt_out_type == "STOP":
                self._opted_out.add(sender)
            elif body.strip().upper() in START or opt_out_type == "START":
                self._opted_out.discard(sender)
        fields = [
            ("AccountSid", self.account_sid),
            ("Body", body),
            ("From", sender),
            ("MessageSid", sid),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
            ("SmsStatus", "received"),
            ("To", to),
        ]
        if opt_out_type:
            fields.append(("OptOutType", opt_out_type))
        return fields + list(extra.items())


def error(status: int, code: int, message: str) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status=status, body={"code": code, "message": message, "more_info": more, "status": status})
