"""Who may see the dashboard: one signed cookie, and a token of its own in every form.

In development a login link with a token of this process is printed at the start. Everywhere an API key opens the
dashboard: with the scope ``read`` to look, with ``operate`` to change.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Form, Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from orchestrator.ids import new_secret
from orchestrator.keys import ApiKey, find_api_key
from orchestrator.web.problems import ProblemDetails

COOKIE: Final = "orchestrator_session"
_SECONDS: Final = 12 * 3600


class LoginNeeded(Exception):
    """A page of the dashboard was asked for without a session."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody who logged in. ``csrf`` goes into every form of the page."""

    name: str
    may_operate: bool
    csrf: str


class Sessions:
    """Opens and reads sessions. Nothing is stored: the cookie is the session, signed by the newest key."""

    def __init__(
        self, *, keys: Sequence[str], api_keys: Sequence[ApiKey], secure: bool, password: str | None = None
    ) -> None:
        self._api_keys = api_keys
        self._password = password
        self._secure = secure
        self._signer = URLSafeTimedSerializer(
            list(reversed(keys)),
            salt="orchestrator.dashboard",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        self._csrf_key = hashlib.sha256(b"orchestrator.csrf" + keys[0].encode()).digest()
        self.login_token = new_secret()
        """Opens the dashboard while this process runs; printed at the start, on the machine alone."""

    def open(self, secret: str, response: Response, *, by_password: bool = True) -> Session | None:
        """A session for who shows the login token, the password or a key that may read; None for others.

        ``by_password`` is False while too many guess: a password may be short, tokens and keys are not.
        """
        key = find_api_key(self._api_keys, secret)
        if hmac.compare_digest(secret.encode(), self.login_token.encode()):
            name, may_operate = "this machine", True
        elif by_password and self._password and hmac.compare_digest(secret.encode(), self._password.encode()):
            name, may_operate = "the dashboard password", True
        elif key is not None and key.allows("read"):
            name, may_operate = key.name, key.allows("operate")
        else:
            return None
        value = self._signer.dumps([name, may_operate, new_secret()])
        response.set_cookie(
            COOKIE, value, max_age=_SECONDS, httponly=True, samesite="lax", secure=self._secure, path="/"
        )
        return self._session(value)

    def close(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path="/")

    def read(self, request: Request) -> Session | None:
        value = request.cookies.get(COOKIE)
        return self._session(value) if value else None

    def _session(self, value: str) -> Session | None:
        try:
            match self._signer.loads(value, max_age=_SECONDS):
                case [str(name), bool(may_operate), str()]:
                    csrf = hmac.new(self._csrf_key, value.encode(), hashlib.sha256).hexdigest()
                    return Session(name=name, may_operate=may_operate, csrf=csrf)
                case _:
                    return None
        except BadData:
            return None


def visitor(request: Request) -> Session:
    """A dependency: the session of who looks at the dashboard."""
    sessions: Sessions = request.app.state.sessions
    session = sessions.read(request)
    if session is None:
        raise LoginNeeded
    return session


def own_form(session: Annotated[Session, Depends(visitor)], csrf: Annotated[str, Form()] = "") -> Session:
    """A dependency for everything posted: the form must be one of ours."""
    if not hmac.compare_digest(csrf.encode(), session.csrf.encode()):
        raise ProblemDetails(
            403, "bad_form", "this form is old or not ours; go back, reload the page and send it again"
        )
    return session


def operator(session: Annotated[Session, Depends(own_form)]) -> Session:
    """A dependency for forms that change something."""
    if not session.may_operate:
        raise ProblemDetails(
            403, "forbidden", "this key may look but not change; log in with a key that may operate"
        )
    return session


Visitor = Annotated[Session, Depends(visitor)]
Operating = Annotated[Session, Depends(operator)]
OwnForm = Annotated[Session, Depends(own_form)]
