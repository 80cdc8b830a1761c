"""What an HTTP answer says about a message, the same for every provider without words of its own.

| seen                                        | result    | why                                              |
|---------------------------------------------|-----------|--------------------------------------------------|
| no connection, no name, TLS refused         | try_again | no byte of the request left                      |
| 429; 503 with Retry-After                   | try_again | the provider says it did not take the request    |
| 401, 403                                    | refused   | our credentials: someone must act                |
| 3xx                                         | refused   | a wrong base URL: someone must act               |
| other 4xx                                   | refused   | asked again, it would be refused again           |
| time-out or reset later, other 5xx, garbage | uncertain | it may have been sent                            |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from channels.base import TOO_LATE, SendResult, SendStatus
from channels.errors import ChannelError, ForbiddenError, InDoubtError, NotSentError
from channels.http_transport import HttpResponse

LONGEST_PAUSE = 3600.0


def from_error(provider: str, error: ChannelError) -> SendResult:
    """The result of a call that got no answer."""
    if isinstance(error, ForbiddenError):
        return SendResult(result=SendStatus.REFUSED, provider=provider, code=error.code, alert=True)
    if isinstance(error, NotSentError):
        return SendResult(
            result=SendStatus.TRY_AGAIN, provider=provider, code=error.code, untried=error.code == TOO_LATE
        )
    if isinstance(error, InDoubtError):
        return SendResult(result=SendStatus.UNCERTAIN, provider=provider, code=error.code)
    return SendResult(
        result=SendStatus.REFUSED, provider=provider, code="not_configured", detail=str(error), alert=True
    )


def from_status(
    provider: str,
    status: int,
    headers: Mapping[str, str],
    *,
    code: str | None = None,
    detail: str | None = None,
) -> SendResult:
    """The result of an answer that is not the success the adapter looked for."""
    code = code or f"http_{status}"
    if status == 429 or (status == 503 and "retry-after" in headers):
        return SendResult(
            result=SendStatus.TRY_AGAIN,
            provider=provider,
            code=code,
            detail=detail,
            retry_after=pause_asked(headers),
        )
    if 300 <= status < 400:
        return SendResult(
            result=SendStatus.REFUSED,
            provider=provider,
            code=code,
            detail="redirected; redirects are never followed, correct the base URL",
            alert=True,
        )
    if 400 <= status < 500 and status != 408:
        return SendResult(
            result=SendStatus.REFUSED, provider=provider, code=code, detail=detail, alert=status in (401, 403)
        )
    return SendResult(result=SendStatus.UNCERTAIN, provider=provider, code=code, detail=detail)


def unusable(provider: str, answer: HttpResponse) -> SendResult:
    """A success without the content a success has: something between us and the provider may have answered."""
    return SendResult(
        result=SendStatus.UNCERTAIN, provider=provider, code=f"http_{answer.status}", detail="unusable answer"
    )


def pause_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asks us to wait: Retry-After (seconds or a date), else X-RateLimit-Reset.

    Dates are read against the answer's own Date header, so no clock of ours takes part.
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return min(float(asked), LONGEST_PAUSE)
    answered_at = _date(headers.get("date"))
    until = _date(asked)
    if until is None:
        reset = headers.get("x-ratelimit-reset", "").strip()
        until = datetime.fromtimestamp(int(reset), UTC) if reset.isdecimal() and len(reset) < 12 else None
    if until is None or answered_at is None:
        return None
    return min(max((until - answered_at).total_seconds(), 0.0), LONGEST_PAUSE)


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def scrub(text: str) -> str:
    """A provider's words without the addresses it likes to repeat, short enough to store."""
    return _ADDRESSES.sub("***", text)[:200]


_ADDRESSES = re.compile(r"[^\s<>@\"']*@[^\s<>@\"']*|\+?\d[\d\s().-]{5,}\d")
