"""Twilio Conversations, played: conversations, participants, messages and what their webhooks carry."""

from __future__ import annotations

import re
import threading
from typing import Any

from tests.fakes.http import Described, Reply, Request
from tests.fakes.ledger import Entry
from tests.fakes.twilio import error

NAME = "conversations"
_BASE = "https://conversations.twilio.com"
_DATE = "2026-01-05T09:00:00Z"
_PATH = re.compile(
    r"^/v1(?:/Services/IS[0-9a-f]{32})?/Conversations(?:/(?P<name>[^/]+)(?:/(?P<part>Participants|Messages))?)?$"
)


class Conversations:
    """All conversations of one account."""

    def __init__(self, account_sid: str) -> None:
        self._account = account_sid
        self._lock = threading.Lock()
        self._rows: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._parts: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._made = 0

    def describe(self, request: Request) -> Described:
        form = dict(request.form)
        match = _PATH.match(request.path)
        part = match["part"] if match else None
        verb = "send" if request.method == "POST" and part == "Messages" else request.method.lower()
        found = re.search(r'"m":\s*"([^"]+)"', form.get("Attributes", ""))
        return Described(
            operation=f"{verb}_{(part or 'Conversation').lower().rstrip('s')}",
            to=form.get("Identity") or form.get("MessagingBinding.Address"),
            message_id=found[1] if found else None,
            fields=form,
        )

    def handle(self, request: Request, entry: Entry) -> Reply:
        match = _PATH.match(request.path)
        if match is None:
            return error(404, 20404, "not found")
        with self._lock:
            if match["name"] is None:
                return self._create(entry)
            sid = self._names.get(match["name"], match["name"])
            if sid not in self._rows:
                return error(404, 20404, "The requested resource was not found")
            if match["part"] is None and request.method == "DELETE":
                self._rows.pop(sid)
                return Reply(status=204)
            if match["part"] is None:
                if request.method == "POST" and "Attributes" in entry.fields:
                    self._rows[sid]["attributes"] = entry.fields["Attributes"]
                return Reply(status=200, body=dict(self._rows[sid]))
            if request.method == "GET":
                return self._page(sid, match["part"], dict(request.query))
            return (
                self._participant(sid, entry)
                if match["part"] == "Participants"
                else self._message(sid, entry)
            )

    def _create(self, entry: Entry) -> Reply:
        name = entry.fields.get("UniqueName")
        if name in self._names:
            return error(409, 50353, "Conversation with provided unique name already exists")
        sid = self._sid("CH")
        self._rows[sid] = {
            "sid": sid,
            "account_sid": self._account,
            "chat_service_sid": "IS" + "0" * 32,
            "messaging_service_sid": "MG" + "0" * 32,
            "friendly_name": None,
            "unique_name": name,
            "attributes": entry.fields.get("Attributes", "{}"),
            "state": "active",
            "date_created": _DATE,
            "date_updated": _DATE,
            "timers": {},
            "bindings": {},
            "url": f"{_BASE}/v1/Conversations/{sid}",
            "links": {},
        }
        self._parts[sid] = {"Participants": [], "Messages": []}
        if name:
            self._names[name] = sid
        return Reply(status=201, body=dict(self._rows[sid]))

    def _participant(self, sid: str, entry: Entry) -> Reply:
        identity, bound = entry.fields.get("Identity"), entry.fields.get("MessagingBinding.Address")
        for row in self._parts[sid]["Participants"]:
            if identity and row["identity"] == identity:
                return error(409, 50433, "Participant already exists")
            if bound and (row["messaging_binding"] or {}).get("address") == bound:
                return error(409, 50416, "A binding for this participant and proxy address already exists")
        proxy = entry.fields.get("MessagingBinding.ProxyAddress")
        row = self._part(sid, "MB") | {
            "identity": identity,
            "role_sid": "RL" + "0" * 32,
            "messaging_binding": {"type": "sms", "address": bound, "proxy_address": proxy} if bound else None,
            "last_read_message_index": None,
            "last_read_timestamp": None,
            "attributes": "{}",
        }
        row["url"] = f"{_BASE}/v1/Conversations/{sid}/Participants/{row['sid']}"
        self._parts[sid]["Participants"].append(row)
        return Reply(status=201, body=row)

    def _message(self, sid: str, entry: Entry) -> Reply:
        if len(entry.fields.get("Body", "")) > 1600:
            return error(400, 50501, "Body too long")
        row = self._part(sid, "IM") | {
            "index": len(self._parts[sid]["Messages"]),
            "author": entry.fields.get("Author", "system"),
            "body": entry.fields.get("Body"),
            "media": None,
            "attributes": entry.fields.get("Attributes", "{}"),
            "participant_sid": None,
            "delivery": None,
            "content_sid": None,
        }
        row["url"] = f"{_BASE}/v1/Conversations/{sid}/Messages/{row['sid']}"
        row["links"] = {"delivery_receipts": f"{row['url']}/Receipts"}
        self._parts[sid]["Messages"].append(row)
        entry.taken, entry.provider_id = True, sid
        return Reply(status=201, body=row)

    def _page(self, sid: str, part: str, query: dict[str, str]) -> Reply:
        rows = [dict(row) for row in self._parts[sid][part]]
        if query.get("Order") == "desc":
            rows.reverse()
        url = f"{_BASE}/v1/Conversations/{sid}/{part}?PageSize=50&Page=0"
        meta = {"page": 0, "page_size": 50, "first_page_url": url, "url": url, "key": part.lower()}
        meta |= {"next_page_url": None, "previous_page_url": None}
        return Reply(status=200, body={part.lower(): rows, "meta": meta})

    def _part(self, sid: str, prefix: str) -> dict[str, Any]:
        new = self._sid(prefix)
        dates = {"date_created": _DATE, "date_updated": _DATE}
        return {"sid": new, "account_sid": self._account, "conversation_sid": sid, **dates}

    def _sid(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}{self._made:032x}"

    def messages(self, name: str) -> list[dict[str, Any]]:
        """What was said in a conversation, by its SID or name."""
        with self._lock:
            return [dict(row) for row in self._parts[self._names.get(name, name)]["Messages"]]

    def conversation(self, name: str) -> dict[str, Any]:
        with self._lock:
            return dict(self._rows[self._names.get(name, name)])

    def event(self, kind: str, name: str, **extra: str) -> list[tuple[str, str]]:
        """The fields of a webhook about a conversation; what a person says goes into it first."""
        with self._lock:
            sid = self._names.get(name, name)
            fields = {"EventType": kind, "ConversationSid": sid, "AccountSid": self._account}
            if kind == "onMessageAdded":
                row = self._part(sid, "IM") | {
                    "index": len(self._parts[sid]["Messages"]),
                    "author": extra.get("Author"),
                    "body": extra.get("Body"),
                    "attributes": "{}",
                }
                self._parts[sid]["Messages"].append(row)
                fields |= {"MessageSid": row["sid"], "Index": str(row["index"]), "Attributes": "{}"}
                fields |= {"Source": "SDK", "ParticipantSid": "MB" + "0" * 32, "DateCreated": _DATE}
            elif kind == "onConversationStateUpdated":
                self._rows[sid]["state"] = extra.get("StateTo", "closed")
                fields |= {"UniqueName": self._rows[sid]["unique_name"] or "", "StateFrom": "active"}
        return list((fields | extra).items())
