"""Email through SendGrid v3, by its official library.

The library builds and reads requests; the bytes go through :class:`~channels.http_transport.HttpTransport`, because the
library's own transport opens a connection per call, follows redirects and cannot tell a connection never made from one
lost.
"""

from __future__ import annotations

import html
import io
import json
import logging
import re
import threading
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.message import Message as Headers
from functools import partial
from typing import Any

import python_http_client
from python_http_client.exceptions import HTTPError, handle_error
from sendgrid import SendGridAPIClient

from channels.base import (
    ForgetResult,
    OutboundMessage,
    SendResult,
    SendStatus,
    Suppression,
    SuppressionList,
)
from channels.errors import BadChannelError, ChannelError
from channels.http_transport import HttpResponse, HttpTransport, time_limit
from channels.outcome import from_error, from_status, scrub
from channels.settings_values import text

# All it logs are the key, the addresses and the bodies, at DEBUG: switched off whatever levels somebody sets.
logging.getLogger("python_http_client.client").disabled = True

BASE_URL = "https://api.sendgrid.com"
_PAGE = 500  # rows of a suppression list: the most that SendGrid gives at once
_JOB_AT_MOST = 5000  # addresses of one erasure job
_MAX_LINE = 900  # header lines longer than 998 characters are not mail


class EmailSendGrid:
    """The email channel. One library client a thread, one pool of connections for all."""

    name = "email"
    provider = "sendgrid"

    def __init__(
        self,
        *,
        api_key: str,
        sender: str,
        sender_name: str | None = None,
        reply_to: str | None = None,
        base_url: str | None = None,
        wire: HttpTransport | None = None,
    ) -> None:
        if not api_key or "@" not in sender:
            raise BadChannelError(
                "the SendGrid channel expects an API key and a sender address like 'team@example.com'; "
                "set ORCHESTRATOR_SENDGRID_API_KEY and ORCHESTRATOR_EMAIL_FROM"
            )
        self._api_key = api_key
        self._sender = {"email": sender, "name": sender_name} if sender_name else {"email": sender}
        self._reply_to = reply_to
        self._base_url = (base_url or BASE_URL).rstrip("/")
        self._wire = wire or HttpTransport()
        self._clients = threading.local()

    def send(self, message: OutboundMessage) -> SendResult:
        if not message.content.header.get("subject", "").strip():
            detail = "an email needs a subject; add 'subject:' to the template's header"
            return SendResult(
                result=SendStatus.REFUSED, provider=self.provider, code="no_subject", detail=detail
            )
        try:
            response = self._client().send(self.mail(message))
        except HTTPError as error:
            return self._refused(error)
        except ChannelError as error:
            return from_error(self.provider, error)
        provider_id = response.headers.get("X-Message-Id")
        if response.status_code not in (200, 202) or (response.status_code == 200 and not provider_id):
            # Something between us and SendGrid may have answered in its place.
            code = f"http_{response.status_code}"
            return SendResult(
                result=SendStatus.UNCERTAIN, provider=self.provider, code=code, detail="unusable answer"
            )
        return SendResult(result=SendStatus.SENT, provider=self.provider, provider_id=provider_id)

    def forget(
        self, *, addresses: Sequence[str], provider_ids: Sequence[str], seconds: float
    ) -> ForgetResult:
        """Ask for an erasure job: it covers addresses with everything SendGrid holds under them."""
        del provider_ids
        told = 0
        try:
            with time_limit(seconds):
                for batch in batched(addresses):
                    self._client().client.recipients.erasejob.post(request_body={"email_addresses": batch})
                    told += len(batch)
        except HTTPError as error:
            return ForgetResult(done=False, count=told, detail=f"http_{error.status_code}")
        except ChannelError as error:
            return ForgetResult(done=False, count=told, detail=from_error(self.provider, error).code)
        return ForgetResult(done=True, count=told)

    def suppressions(self, *, since: datetime, seconds: float) -> SuppressionList:
        """Who unsubscribed from everything or complained, by SendGrid's own lists; they are read page by page."""
        found: list[Suppression] = []
        suppression = self._client().client.suppression
        try:
            with time_limit(seconds):
                for endpoint in (suppression.unsubscribes, suppression.spam_reports):
                    for row in _pages(endpoint, since):
                        at = datetime.fromtimestamp(row["created"], UTC)
                        found.append(Suppression(address=row["email"], at=at))
        except HTTPError as error:
            return SuppressionList(done=False, entries=tuple(found), detail=f"http_{error.status_code}")
        except ChannelError as error:
            code = from_error(self.provider, error).code
            return SuppressionList(done=False, entries=tuple(found), detail=code)
        except (ValueError, KeyError, TypeError):
            return SuppressionList(done=False, entries=tuple(found), detail="unusable answer")
        return SuppressionList(done=True, entries=tuple(found))

    def mail(self, message: OutboundMessage) -> dict[str, Any]:
        """The request body: one personalization for one person, so nobody sees another's address."""
        content = message.content
        parts = [{"type": "text/plain", "value": content.text or " "}]
        if content.html:
            parts.append({"type": "text/html", "value": self._html(message, content.html)})
        person: dict[str, Any] = {
            "to": [{"email": message.address}],
            "custom_args": {"m": message.message_id},  # stored there for long: ids only, nothing personal
        }
        if headers := list_headers(message):
            person["headers"] = headers
        tracked = {"enable": message.track}
        mail: dict[str, Any] = {
            "personalizations": [person],
            "from": self._sender,
            "subject": " ".join(content.header["subject"].split()),
            "content": parts,
            "tracking_settings": {
                "click_tracking": {"enable": message.track, "enable_text": False},
                "open_tracking": tracked,
                "subscription_tracking": {"enable": False},  # the engine owns opt-out
                "ganalytics": {"enable": False},
            },
        }
        reply_to = content.header.get("reply_to") or self._reply_to
        if reply_to:
            mail["reply_to"] = {"email": reply_to}
        return mail

    def _html(self, message: OutboundMessage, body: str) -> str:
        own = [url for url in (message.opt_out_url, message.one_click_url) if url]
        body = without_click_tracking(body, own)
        preheader = message.content.header.get("preheader", "").strip()
        return with_preheader(body, preheader) if preheader else body

    def _client(self) -> SendGridAPIClient:
        client = getattr(self._clients, "client", None)
        if client is None:
            client = SendGridAPIClient(self._api_key, host=self._base_url)
            client.client = _Transport(
                self._wire,
                host=self._base_url,
                request_headers=dict(client.client.request_headers),
                version=3,
            )
            self._clients.client = client
        return client

    def _refused(self, error: HTTPError) -> SendResult:
        headers = {name.lower(): value for name, value in error.headers.items()}
        code, detail = _first_error(error.body)
        handed = from_status(self.provider, error.status_code, headers, detail=detail)
        if (
            handed.result is SendStatus.REFUSED
            and code
            and code.startswith("personalizations")
            and ".to" in code
        ):
            return SendResult(
                result=SendStatus.REFUSED,
                provider=self.provider,
                code="bad_address",
                detail=detail,
                mark_address=True,
            )
        return handed

    def close(self) -> None:
        self._wire.close()


def batched(addresses: Sequence[str]) -> list[list[str]]:
    """Addresses in jobs of as many as one may name."""
    return [list(addresses[at : at + _JOB_AT_MOST]) for at in range(0, len(addresses), _JOB_AT_MOST)]


def _pages(endpoint: Any, since: datetime) -> Iterator[dict[str, Any]]:
    """The rows of a suppression list from ``since`` on."""
    offset = 0
    while True:
        asked = {"start_time": int(since.timestamp()), "limit": _PAGE, "offset": offset}
        rows = json.loads(endpoint.get(query_params=asked).body)
        yield from rows
        if len(rows) < _PAGE:
            return
        offset += _PAGE


class _Transport(python_http_client.Client):  # type: ignore[misc]  # the library is untyped
    """The library's client with our wire under it. Errors stay the library's own classes."""

    def __init__(self, wire: HttpTransport, **facts: Any) -> None:
        super().__init__(**facts)
        self._wire = wire

    def _build_client(self, name: str | None = None) -> _Transport:
        path = [*self._url_path, name] if name else self._url_path
        # A copy: headers given to one call must not stay for the next.
        headers = dict(self.request_headers)
        return _Transport(
            self._wire, host=self.host, version=self._version, request_headers=headers, url_path=path
        )

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, name.upper()) if name in self.methods else super().__getattr__(name)

    def _call(
        self,
        method: str,
        request_body: Mapping[str, Any] | None = None,
        query_params: Mapping[str, Any] | None = None,
    ) -> python_http_client.client.Response:
        """The library's call as far as the bytes. It would build an opener of its own for each, which reads the whole
        environment and takes longer than the request."""
        url, headers, content = self._build_url(query_params), dict(self.request_headers), None
        if request_body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(request_body).encode()
        answer = self._wire.request(method, url, headers=headers, content=content)
        reply = _Reply(answer)
        if answer.status >= 300:
            raise handle_error(
                urllib.error.HTTPError(url, answer.status, "refused", reply.info(), io.BytesIO(answer.body))
            )
        return python_http_client.client.Response(reply)


class _Reply:
    """An answer in the shape in which the library reads it."""

    def __init__(self, answer: HttpResponse) -> None:
        self._answer = answer

    def getcode(self) -> int:
        return self._answer.status

    def read(self) -> bytes:
        return self._answer.body

    def info(self) -> Headers:
        headers = Headers()
        for name, value in self._answer.headers.items():
            headers[name] = value
        return headers


def list_headers(message: OutboundMessage) -> Mapping[str, str]:
    """The headers by which a mailbox offers to unsubscribe (RFC 2369, RFC 8058, RFC 2919)."""
    headers: dict[str, str] = {}
    one_click = message.one_click_url
    if message.promotional and one_click and one_click.startswith(("https://", "http://")):
        headers["List-Unsubscribe"] = f"<{one_click}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if message.promotional and message.list_id:
        headers["List-Id"] = f"<{message.list_id.strip('<>')}>"
    return {name: value for name, value in headers.items() if len(value) <= _MAX_LINE and value.isprintable()}


def without_click_tracking(body: str, urls: list[str]) -> str:
    """Marks links to the opt-out and preference pages so that SendGrid leaves them as they are.

    A link that its reader uses to leave must not run through somebody's tracker, and must work when that is down.
    """
    wanted = {*urls, *(html.escape(url) for url in urls)}

    def mark(match: re.Match[str]) -> str:
        tag = match.group(0)
        href = _HREF.search(tag)
        target = (href.group(2) or href.group(3) or href.group(4) or "") if href else ""
        own = target in wanted or bool(_OWN_PAGE.search(html.unescape(target)))
        if not own or "clicktracking" in tag.lower():
            return tag
        return tag[:2] + " clicktracking=off" + tag[2:]

    return _ANCHOR.sub(mark, body)


_ANCHOR = re.compile(r"<a\s[^>]*>", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*("([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_OWN_PAGE = re.compile(r"^https?://[^/?#]+/(?:[^?#]*/)?[up]/[A-Za-z0-9._~-]{8,}")


def with_preheader(body: str, preheader: str) -> str:
    """Puts the line that mailboxes show beside the subject first, unseen in the mail itself."""
    words = html.escape(preheader)
    if words in body:
        return body
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{words}</div>'
    start = _BODY.search(body)
    at = start.end() if start else 0
    return body[:at] + hidden + body[at:]


_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


def _first_error(body: bytes) -> tuple[str | None, str | None]:
    """The field and the words of the first error; 413 and gateways answer with HTML, then there are none."""
    try:
        error = json.loads(body)["errors"][0]
        return error.get("field"), scrub(str(error.get("message", "")))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None, None


def from_settings(settings: Mapping[str, Any]) -> EmailSendGrid:
    """Build the channel from settings."""
    return EmailSendGrid(
        api_key=text(settings, "sendgrid_api_key"),
        sender=text(settings, "email_from"),
        sender_name=text(settings, "email_from_name") or None,
        reply_to=text(settings, "email_reply_to") or None,
        base_url=text(settings, "sendgrid_base_url") or None,
    )
