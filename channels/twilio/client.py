"""Twilio's official library on our wire: base URLs mapped, a total time limit, errors put into words.

The library's own HTTP client keeps its last answer on itself and returns it from there, so two threads that share
a client can read each other's answers; and it knows no base URL. Both end here.
"""

from __future__ import annotations

import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from channels.base import ForgetResult, SendResult, SendStatus
from channels.errors import BadChannelError, ChannelError, UnmappedHostError
from channels.http_transport import HttpTransport, time_limit
from channels.outcome import from_error, from_status, scrub

PROVIDER = "twilio"
_GONE = 404
SERVICES = ("api", "conversations")

_logger = logging.getLogger(__name__)


class MappedHttpClient(HttpClient):  # type: ignore[misc]  # the library is untyped
    """Sends each Twilio host (by its first label) to the base URL configured for it; any other host raises.

    Without base URLs only Twilio's own hosts pass. So no test can reach the real service by accident.
    """

    def __init__(self, *, wire: HttpTransport, bases: Mapping[str, str] | None = None) -> None:
        super().__init__(_logger, False, wire.total)
        self._wire = wire
        self._bases = dict(bases or {})
        self.last_headers = threading.local()

    def target(self, url: str) -> str:
        """The URL that is really called."""
        parts = urlsplit(url)
        label, _, rest = (parts.hostname or "").partition(".")
        if not self._bases and label in SERVICES and _is_twilio(rest):
            return url
        if label not in self._bases:
            raise UnmappedHostError(parts.netloc, ", ".join(sorted(self._bases)) or ", ".join(SERVICES))
        base = urlsplit(self._bases[label])
        path = base.path.rstrip("/") + parts.path
        return urlunsplit((base.scheme, base.netloc, path, parts.query, ""))

    def request(  # noqa: PLR0917  the library's own signature
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        del timeout, allow_redirects  # ours are fixed: a total limit, and no redirects at all
        url = self.target(uri)
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        sent = {name: str(value) for name, value in (headers or {}).items()}
        if auth is not None:
            sent["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
        content = urlencode(data, doseq=True).encode() if data else None
        answer = self._wire.request(method.upper(), url, headers=sent, content=content)
        self.last_headers.value = answer.headers
        return Response(answer.status, answer.text, answer.headers)

    def answered(self) -> Mapping[str, str]:
        """The headers of this thread's last answer: the library's exceptions lose them."""
        return getattr(self.last_headers, "value", {})


class TwilioClients:
    """One library client a thread, over one wire."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        base_url: str | Mapping[str, str] | None = None,
        wire: HttpTransport | None = None,
    ) -> None:
        if not account_sid.startswith("AC") or not auth_token:
            raise BadChannelError(
                "Twilio channels expect an account SID that begins with 'AC' and an auth token; "
                "set ORCHESTRATOR_TWILIO_ACCOUNT_SID and ORCHESTRATOR_TWILIO_AUTH_TOKEN"
            )
        bases = _bases(base_url)
        self.wire = wire or HttpTransport()
        self.http = MappedHttpClient(wire=self.wire, bases=bases or None)
        self._account = (account_sid, auth_token)
        self._local = threading.local()

    def get(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            client = Client(*self._account, http_client=self.http)
            self._local.client = client
        return client

    def each(
        self, provider_ids: Sequence[str], seconds: float, remove: Callable[[Client, str], object]
    ) -> ForgetResult:
        """Remove one thing after the other; what is not there any more is removed. Stops at the first refusal."""
        removed = 0
        try:
            with time_limit(seconds):
                for provider_id in provider_ids:
                    try:
                        remove(self.get(), provider_id)
                    except TwilioRestException as error:
                        if error.status != _GONE:
                            return ForgetResult(
                                done=False, count=removed, detail=f"code_{error.code or error.status}"
                            )
                    removed += 1
        except ChannelError as error:
            return ForgetResult(done=False, count=removed, detail=from_error(PROVIDER, error).code)
        except Exception as error:  # noqa: BLE001 - a broken answer breaks the library in ways without a list
            return ForgetResult(done=False, count=removed, detail=type(error).__name__)
        return ForgetResult(done=True, count=removed)

    def handed(self, error: Exception) -> SendResult:
        """The result behind an error of the library or the wire."""
        if isinstance(error, ChannelError):
            return from_error(PROVIDER, error)
        if isinstance(error, (TwilioRestException, TwilioServiceException)):
            words = error.msg if isinstance(error, TwilioRestException) else error.title
            return of_code(error.code, error.status, self.http.answered(), detail=scrub(str(words)))
        if isinstance(error, TwilioException):
            return SendResult(
                result=SendStatus.REFUSED, provider=PROVIDER, code=type(error).__name__, alert=True
            )
        # A success whose body is not what a success has: JSON that is none, a missing key.
        return SendResult(
            result=SendStatus.UNCERTAIN,
            provider=PROVIDER,
            code="unusable_answer",
            detail=type(error).__name__,
        )


def _bases(base_url: str | Mapping[str, str] | None) -> Mapping[str, str] | None:
    """One base URL stands for all services, unless it is Twilio's own: there each service has its own host."""
    if not isinstance(base_url, str):
        return base_url
    host = urlsplit(base_url).hostname or ""
    return dict.fromkeys(SERVICES, base_url) if host and not _is_twilio(host) else None


def _is_twilio(host: str) -> bool:
    return host == "twilio.com" or host.endswith(".twilio.com")


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What a Twilio error code means for a message."""

    result: SendStatus = SendStatus.REFUSED
    mark_address: bool = False
    alert: bool = False


_AGAIN = Meaning(result=SendStatus.TRY_AGAIN)
_BAD_ADDRESS = Meaning(mark_address=True)
_OPTED_OUT = Meaning(result=SendStatus.OPTED_OUT)
_ALERT = Meaning(alert=True)

MEANINGS: Mapping[int, Meaning] = {
    20003: _ALERT,  # wrong credentials
    20429: _AGAIN,  # too many requests, not processed
    21211: _BAD_ADDRESS,  # no valid number
    21217: _BAD_ADDRESS,
    21614: _BAD_ADDRESS,  # cannot receive messages
    21408: _ALERT,  # region not switched on
    21606: _ALERT,  # the sender cannot send
    21610: _OPTED_OUT,  # said STOP to this sender
    21611: _AGAIN,  # the sender's queue is full
    21612: Meaning(),  # no route between this pair
    21635: _BAD_ADDRESS,  # a landline
    30001: _AGAIN,  # queue overflow
    30034: _ALERT,  # unregistered sender
    30610: _AGAIN,  # Twilio's own quiet hours
    63003: _BAD_ADDRESS,
    63014: _OPTED_OUT,  # blocked by the person
    63016: _ALERT,  # outside WhatsApp's window without an approved template
    63018: _AGAIN,
}


def of_code(
    code: object, status: int, headers: Mapping[str, str], *, detail: str | None = None
) -> SendResult:
    """The result of an error answer: by its code where we know it, else by its HTTP status."""
    plain = from_status(PROVIDER, status, headers, code=str(code) if code else None, detail=detail)
    meaning = MEANINGS.get(code) if isinstance(code, int) else None
    if meaning is None or status >= 500:
        return plain
    return SendResult(
        result=meaning.result,
        provider=PROVIDER,
        code=str(code),
        detail=detail,
        retry_after=plain.retry_after if meaning.result is SendStatus.TRY_AGAIN else None,
        mark_address=meaning.mark_address,
        alert=meaning.alert,
    )
