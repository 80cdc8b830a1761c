"""How often strangers may fail and links be opened, counted for each client address.

Whoever shows something valid is not refused for what others did at the same address: a mailbox provider posts the
opt-outs of thousands of people from a few, and a whole company may sit behind one. So what fails is counted, and only
what fails is answered with 429; openings are counted for each link apart. The login alone makes an address wait that
guessed wrong too often, whatever it shows then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Literal

from fastapi import Request
from fastapi.responses import HTMLResponse

from orchestrator.rate_limits.limiter import Limiter
from orchestrator.rate_limits.windows import Granted, Rate
from orchestrator.web.pages import notice
from orchestrator.web.problems import ProblemDetails

FAILURES = Rate(amount=60, seconds=60)  # of one kind, by one address
OPENINGS = Rate(amount=120, seconds=60)  # of one link by one address
FEED_REQUESTS = Rate(amount=300, seconds=60)  # with one token by one address
GUESSES = Rate(amount=10, seconds=300)  # wrong logins by one address
PASSWORD_GUESSES = Rate(amount=60, seconds=300)  # by all addresses: then long secrets alone log in
_ONE_HOME = 64  # bits of an IPv6 address that its owner cannot change

Secret = Literal["links", "feed tokens", "keys"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """One try to log in. ``password_waits``: for how many seconds the password opens nothing; keys do."""

    password_waits: int
    right: Callable[[], None]
    """To be called when it was right: then it does not count."""


class Throttle:
    """Asked by handlers; every refusal is a :class:`ProblemDetails` with the status 429."""

    def __init__(self, limiter: Limiter, *, key: str) -> None:
        self._limiter = limiter
        self._key = hashlib.sha256(b"orchestrator.throttle" + key.encode()).digest()

    def failed(self, request: Request, kind: Secret) -> None:
        """Something was shown that is not ours."""
        taken = self._limiter.take(FAILURES, f"failures/{kind}/{self._client(request)}")
        if not taken.count:
            raise _too_many(taken, f"too many {kind} from this address are not ours")

    def opened(self, request: Request) -> None:
        """A valid link was opened."""
        if not (taken := self._opening(request)).count:
            raise _too_many(taken, "this link was opened too often")

    def may_record(self, request: Request) -> bool:
        """Whether opening a valid link is worth writing down once more."""
        return bool(self._opening(request).count)

    def fed(self, request: Request, token: str) -> None:
        """A feed was asked for with a valid token."""
        taken = self._limiter.take(FEED_REQUESTS, f"feed/{self._client(request)}/{self._hidden(token)}")
        if not taken.count:
            raise _too_many(taken, "this feed was asked for too often; the stream tells of changes")

    def guess(self, request: Request) -> Guess:
        """Before a login is looked at: a crowd of them at once is counted too."""
        mine = self._limiter.take(GUESSES, f"logins/{self._client(request)}")
        if not mine.count:
            raise _too_many(mine, "too many wrong logins from this address")
        password = self._limiter.take(PASSWORD_GUESSES, "logins/password")

        def right() -> None:
            mine.give_back(1)
            password.give_back(1)

        return Guess(password_waits=0 if password.count else _seconds(password), right=right)

    def _opening(self, request: Request) -> Granted:
        return self._limiter.take(
            OPENINGS, f"openings/{self._client(request)}/{self._hidden(request.url.path)}"
        )

    def _client(self, request: Request) -> str:
        """Where a request came from, unreadable: addresses are personal, and these lie in Redis for minutes."""
        return self._hidden(network_of(request.client.host) if request.client else "")

    def _hidden(self, text: str) -> str:
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=12).hexdigest()


def network_of(host: str) -> str:
    """What one client can be told from another by: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> _ONE_HOME << _ONE_HOME)}/{_ONE_HOME}"


def throttle_of(request: Request) -> Throttle:
    throttle: Throttle = request.app.state.throttle
    return throttle


def bad_link(request: Request) -> HTMLResponse:
    """The page in place of one whose link was not made by us."""
    throttle_of(request).failed(request, "links")
    return notice(request, "bad_link", status=404)


def _seconds(taken: Granted) -> int:
    return max(1, ceil(taken.again_in))


def _too_many(taken: Granted, why: str) -> ProblemDetails:
    seconds = _seconds(taken)
    return ProblemDetails(
        429, "too_many_requests", f"{why}; wait {seconds} s", headers={"Retry-After": str(seconds)}
    )
