"""What every page of the dashboard has in common: who looks, what time it is for the engine, how to log in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from orchestrator.engine import Engine
from orchestrator.web.dashboard.sessions import OwnForm, Session, Sessions
from orchestrator.web.middleware.throttle import throttle_of
from orchestrator.web.pages import environment, page

router = APIRouter(include_in_schema=False)


def show(engine: Engine, session: Session, template: str, *, title: str, **facts: Any) -> HTMLResponse:
    """A page of the dashboard. A clock that does not run at rate 1 is shown on every one of them."""
    now = engine.reports.instants()
    return page(
        f"dashboard/{template}",
        title=title,
        session=session,
        now=now.business,
        clock_rate=now.rate,
        **facts,
    )


@router.get("/login")
def login_page(request: Request, token: str = "") -> Response:
    """A form for a key or the password; the link printed at the start of a process carries its token."""
    if token:
        return _opened(request, token)
    return page("dashboard/login.html", title="Log in", wrong=False, password_waits=0)


@router.post("/login")
def login(request: Request, secret: Annotated[str, Form(max_length=500)]) -> Response:
    return _opened(request, secret.strip())


@router.post("/logout")
def logout(request: Request, _session: OwnForm) -> Response:
    response = RedirectResponse("/login", 303)
    sessions: Sessions = request.app.state.sessions
    sessions.close(response)
    return response


def _opened(request: Request, secret: str) -> Response:
    sessions: Sessions = request.app.state.sessions
    response = RedirectResponse("/", 303)
    guess = throttle_of(request).guess(request)
    if sessions.open(secret, response, by_password=not guess.password_waits) is None:
        return page(
            "dashboard/login.html",
            status=429 if guess.password_waits else 401,
            headers={"Retry-After": str(guess.password_waits)} if guess.password_waits else None,
            title="Log in",
            wrong=True,
            password_waits=guess.password_waits,
        )
    guess.right()
    return response


def login_needed(_request: Request, _error: Exception) -> Response:
    """Whoever asks for a page without a session is shown the way in."""
    return RedirectResponse("/login", 303)


def ago(instant: datetime | None, now: datetime) -> str:
    """``3 h ago``, ``in 2 d``: for tables, where the full instant stands beside it as a title."""
    if instant is None:
        return "–"
    seconds = (now - instant).total_seconds()
    size = abs(seconds)
    for span, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if size >= span:
            words = f"{size // span:.0f} {name}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "now"


def instant(value: datetime | str) -> str:
    """An instant as an operator reads it, in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


environment().filters.update(ago=ago, instant=instant)
