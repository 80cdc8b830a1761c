"""A fake provider on 127.0.0.1: SendGrid, Twilio Messages and Twilio Conversations behind one port.

In a test::

    with FakeProvider() as provider:
        channel = EmailSendGrid(api_key=provider.api_key, base_url=provider.url, ...)
        provider.faults.add(kind="hang_after_accept", service="sendgrid")
        ...
        provider.fire_sendgrid("http://127.0.0.1:8000/webhooks/sendgrid", [("delivered", "m_1")])

As a process of its own: ``python -m tests.fakes.provider --port 4020``; the control endpoints under ``/_fake/`` then
do the same over HTTP (see :mod:`tests.fakes.control`).
"""

from __future__ import annotations

import argparse
import calendar
import contextlib
import queue
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.fakes import spec
from tests.fakes.control import Control
from tests.fakes.conversations import Conversations
from tests.fakes.faults import Fault, Faults
from tests.fakes.http import Reply, Request
from tests.fakes.ledger import Entry, Ledger
from tests.fakes.sendgrid import SendGrid
from tests.fakes.signing import twilio_signature
from tests.fakes.twilio import Twilio, error

ACCOUNT = "AC" + "0" * 31 + "1"


class FakeProvider:
    """All three services, their ledger, their faults, and the callbacks they fire."""

    def __init__(
        self,
        *,
        port: int = 0,
        api_key: str = "SG.fake-key",
        account_sid: str = ACCOUNT,
        auth_token: str = "fake-token",
        brief: bool = False,
    ) -> None:
        self.api_key, self.account_sid, self.auth_token = api_key, account_sid, auth_token
        self.ledger, self.faults = Ledger(brief=brief), Faults()
        self._described = (
            not brief
        )  # holding each request against the description takes longer than answering it
        self._callbacks = httpx.Client(timeout=10)
        self.sendgrid = SendGrid(api_key)
        self.twilio = Twilio(account_sid, auth_token)
        self.conversations = Conversations(account_sid)
        self.closing = threading.Event()
        self.auto: dict[str, dict[str, Any]] = {}
        self.now: Callable[[], int] = lambda: calendar.timegm(
            time.gmtime()
        )  # a provider has a clock of its own
        self._services: dict[str, Any] = {
            "sendgrid": self.sendgrid,
            "twilio": self.twilio,
            "conversations": self.conversations,
        }
        self._control = Control(self)
        self._todo: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.provider = self
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fake-provider"),
            threading.Thread(target=self._fire_all, name="fake-provider-callbacks"),
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def public_key(self) -> str:
        """The key against which SendGrid's events verify."""
        return self.sendgrid.signer.public_key

    def start(self) -> FakeProvider:
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self.closing.set()
        self._todo.put(None)
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()
        self._callbacks.close()

    def __enter__(self) -> FakeProvider:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- requests ---------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> tuple[Reply | None, Fault | None]:
        """The reply to a request and the fault it meets; no reply means the connection is reset."""
        if request.path.startswith("/_fake/"):
            return self._control.answer(request), None
        name = _service_of(request.path)
        if name is None:
            return Reply(status=404, body={"errors": [{"message": "not found", "field": None}]}), None
        service = self._services[name]
        asked = service.describe(request)
        entry = self.ledger.begin(
            service=name,
            operation=asked.operation,
            method=request.method,
            path=request.path,
            fields=asked.fields,
            message_id=asked.message_id,
            to=asked.to,
            violations=_violations(name, request) if self._described else [],
            one_click=_one_click(asked.fields) if name == "sendgrid" else None,
        )
        fault = self.faults.take(
            service=name, operation=asked.operation, to=asked.to, path=request.path, number=entry.at
        )
        entry.fault = fault.kind if fault else None
        if fault and fault.delay:
            self.closing.wait(fault.delay)
        reply = _before(fault, name) if fault else None
        if reply is None and not (fault and fault.kind in ("hang", "reset")):
            reply = self._handled(name, request, entry)
            self._follow(entry)
            reply = _after(fault, reply) if fault else reply
        if fault and fault.kind.startswith("hang"):
            self.closing.wait(fault.seconds)
        if fault and fault.kind == "slow":
            self.closing.wait(fault.seconds)
        self.ledger.end(entry, reply.status if reply else None)
        return reply, fault

    def _handled(self, name: str, request: Request, entry: Entry) -> Reply:
        if name != "sendgrid" and request.headers.get("authorization") != _basic(
            self.account_sid, self.auth_token
        ):
            return error(401, 20003, "Authenticate")
        reply: Reply = self._services[name].handle(request, entry)
        description = spec.load(name) if self._described else None
        if description is not None and not entry.violations and reply.status < 300:
            entry.violations += description.answer(
                request.method, _described_path(request.path), reply.status, reply.body
            )
        return reply

    def _follow(self, entry: Entry) -> None:
        """Callbacks that were asked for in advance, for each message taken."""
        plan = self.auto.get(entry.service)
        if not plan or not entry.taken:
            return
        if entry.service == "sendgrid" and entry.message_id:
            events = [(kind, entry.message_id) for kind in plan.get("events", ())]
            self._todo.put(lambda: self.fire_sendgrid(plan["url"], events))
        elif entry.service == "twilio" and entry.provider_id:
            for status in plan.get("statuses", ()):
                self._todo.put(lambda status=status: self.fire_status(entry.provider_id or "", status))  # type: ignore[misc]

    def _fire_all(self) -> None:
        while (job := self._todo.get()) is not None:
            with contextlib.suppress(httpx.HTTPError, KeyError):
                job()

    # -- callbacks --------------------------------------------------------------------------------------------

    def fire_sendgrid(
        self, url: str, events: list[Any], *, corrupt: bool = False, raw: bytes | None = None
    ) -> int:
        """Post events in one signed batch: ``(kind, message id)``, ``(kind, message id, extra)`` or ready items."""
        at = self.now()
        items = [
            self.sendgrid.event(one[0], one[1], at, **(one[2] if len(one) > 2 else {}))
            if isinstance(one, (tuple, list)) and one
            else one
            for one in events
        ]
        body, headers = self.sendgrid.signed(raw if raw is not None else items, at, corrupt=corrupt)
        return self._callbacks.post(url, content=body, headers=headers).status_code

    def fire_status(
        self, message: str, status: str, *, error_code: int | None = None, corrupt: bool = False
    ) -> int:
        """Post a status callback for a message named by its SID or by our id."""
        url, fields = self.twilio.status(self.twilio.sid_of(message), status, error_code)
        return self._post(url, fields, corrupt=corrupt) if url else 0

    def fire_inbound(
        self, url: str, sender: str, body: str, *, to: str = "+15005550006", **extra: Any
    ) -> int:
        corrupt = bool(extra.pop("corrupt", False))
        return self._post(url, self.twilio.inbound(sender, to, body, **extra), corrupt=corrupt)

    def fire_conversation(self, url: str, kind: str, conversation: str, **fields: Any) -> int:
        corrupt = bool(fields.pop("corrupt", False))
        return self._post(url, self.conversations.event(kind, conversation, **fields), corrupt=corrupt)

    def _post(self, url: str, fields: list[tuple[str, str]], *, corrupt: bool) -> int:
        signature = twilio_signature(
            self.auth_token + ("?" if corrupt else ""), url.partition("#")[0], fields
        )
        headers = {
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        return self._callbacks.post(url, content=urlencode(fields), headers=headers).status_code


def _service_of(path: str) -> str | None:
    for prefix, name in (("/v3/", "sendgrid"), ("/2010-04-01/", "twilio"), ("/v1/", "conversations")):
        if path.startswith(prefix):
            return name
    return None


def _described_path(path: str) -> str:
    """The description names the calls of the default service; those of a chosen one are the same below it."""
    return re.sub(r"^/v1/Services/IS[0-9a-f]{32}/", "/v1/", path)


def _violations(name: str, request: Request) -> list[str]:
    description = spec.load(name)
    if description is None or request.path == "/v3/recipients/erasejob":  # that one is in no file of ours
        return []
    form = None if name == "sendgrid" or request.method == "GET" else request.form
    return description.request(
        request.method,
        _described_path(request.path),
        query=request.query,
        headers=request.headers,
        form=form,
        body=request.json if name == "sendgrid" else None,
    )


def _one_click(mail: dict[str, Any]) -> str | None:
    people = mail.get("personalizations") or [{}]
    header = (people[0].get("headers") or mail.get("headers") or {}).get("List-Unsubscribe", "")
    found = re.search(r"<(https?://[^>]+)>", header)
    return found[1] if found else None


def _basic(user: str, password: str) -> str:
    return httpx.BasicAuth(user, password)._auth_header


def _before(fault: Fault, service: str) -> Reply | None:
    """The reply of a fault that strikes before anything is taken."""
    after = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if fault.kind == "rate_limit":
        return _refusal(service, fault, 429, 20429, after)
    if fault.kind == "unavailable":
        return _refusal(service, fault, 503, 20503, {"Retry-After": "5"} | after)
    if fault.kind == "error":
        return _refusal(service, fault, fault.status or 500, 20500, {})
    if fault.kind == "refuse":
        return _refusal(service, fault, fault.status or 400, 21000, {})
    if fault.kind == "too_large":
        return Reply(status=413, body="<html><body><h1>413 Request Entity Too Large</h1></body></html>")
    if fault.kind == "redirect":
        return Reply(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    return None


def _after(fault: Fault, reply: Reply) -> Reply | None:
    """The reply of a fault that strikes after the request was carried out."""
    if fault.kind == "error_after_accept":
        return Reply(status=fault.status or 500, body="<html>internal error</html>")
    if fault.kind == "garbage":
        return Reply(status=fault.status or 200, body="<html>welcome to the hotel wifi</html>")
    if fault.kind == "reset_after_accept":
        return None
    return reply


def _refusal(service: str, fault: Fault, status: int, code: int, headers: dict[str, str]) -> Reply:
    if service == "sendgrid":
        body: Any = {"errors": [{"message": fault.message, "field": fault.extra.get("field"), "help": None}]}
    else:
        body = error(status, fault.code or code, fault.message).body
    return Reply(status=status, body=body, headers=headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    provider: FakeProvider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # its caller died while writing: no request
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        reply, fault = self.server.provider.answer(request)
        if reply is None:
            linger = struct.pack("ii", 1, 0)  # close with a reset, not with a goodbye
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
            return
        raw = reply.raw()
        self.send_response(reply.status)
        if raw:
            self.send_header("Content-Type", reply.content_type())
        self.send_header("Content-Length", str(len(raw)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault is not None and fault.kind == "trickle":
            for at in range(len(raw)):
                self.wfile.write(raw[at : at + 1])
                if self.server.provider.closing.wait(fault.seconds):
                    break
            return
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The ledger is the log."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.provider", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--port", type=int, default=4020)
    parser.add_argument("--api-key", default="SG.fake-key")
    parser.add_argument("--account-sid", default=ACCOUNT)
    parser.add_argument("--auth-token", default="fake-token")
    parser.add_argument(
        "--brief",
        action="store_true",
        help="for many messages: no bodies kept, nothing held against descriptions",
    )
    asked = parser.parse_args()
    provider = FakeProvider(
        port=asked.port,
        api_key=asked.api_key,
        account_sid=asked.account_sid,
        auth_token=asked.auth_token,
        brief=asked.brief,
    ).start()
    print(provider.url, flush=True)  # noqa: T201
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    provider.stop()


if __name__ == "__main__":
    main()
