"""The page behind an opt-out link: stop these messages. Two clicks at most, and one for a mailbox provider.

It needs no login, no cookie and no script. GET and HEAD change nothing, whatever a mail scanner fetches; the POST acts
at once and answers with a page, never with a redirect (RFC 8058).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from orchestrator.engine import Engine
from orchestrator.errors import BadToken, NotFound
from orchestrator.records.consent import ConsentEvidence
from orchestrator.web.customer_pages.receipt import (
    browser_details,
    preferences_path,
    receipt_page,
    topic_title,
)
from orchestrator.web.deps import TheWithdrawals
from orchestrator.web.middleware.throttle import bad_link, throttle_of
from orchestrator.web.pages import notice, page, reader_words

router = APIRouter(include_in_schema=False)


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
def ask_opt_out(engine: TheWithdrawals, request: Request, token: str) -> HTMLResponse:
    """One button. Nothing happens before it is pressed."""
    return _opt_out_page(engine, request, token, opened=True)


def _opt_out_page(engine: Engine, request: Request, token: str, *, opened: bool) -> HTMLResponse:
    try:
        customer_id, channel, topic, _ = engine.links.read_opt_out(token)
        if opened:
            throttle_of(request).opened(request)
        preferences = engine.preferences(customer_id)
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    words = reader_words(request, preferences.locale)
    return page(
        "opt_out.html",
        words=words,
        title=words("stop_title"),
        topic_words=topic_title(preferences, topic, words),
        channel=channel,
        preferences_path=preferences_path(engine, customer_id),
    )


@router.post("/u/{token}")
def opt_out(
    engine: TheWithdrawals,
    request: Request,
    token: str,
    confirm: Annotated[str | None, Form()] = None,
    one_click: Annotated[str | None, Form(alias="List-Unsubscribe")] = None,
) -> HTMLResponse:
    """The button, or the one-click POST of a mailbox provider, urlencoded or multipart."""
    try:
        customer_id, channel, topic, message_id = engine.links.read_opt_out(token)
        if confirm is None and one_click is None:
            return _opt_out_page(engine, request, token, opened=False)
        preferences = engine.preferences(customer_id)
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    words = reader_words(request, preferences.locale)
    receipt = engine.opt_out(
        preferences.customer,
        channel=channel,
        topic=topic,
        evidence=ConsentEvidence(
            method="unsubscribe_page" if confirm is not None else "one_click",
            source=f"{engine.links.base_url}/u/",
            wording=words(
                "stop_text", topic=topic_title(preferences, topic, words), channel=words.channel(channel)
            ),
            wording_locale=words.language,
            details=browser_details(request, message_id),
        ),
    )
    return receipt_page(engine, customer_id, preferences, receipt, words)
