"""The pages customers reach from a message: stop these messages, and choose what may come.

They need no login, no cookie and no script. GET and HEAD change nothing, whatever a mail scanner fetches; a POST
acts at once and answers with a page, never with a redirect (RFC 8058).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from orchestrator.engine import Engine
from orchestrator.errors import BadToken, NotFound
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.preferences import OptOutReceipt, Preferences
from orchestrator.web.customer_pages.consent_view import Change, changes, channel_choices, topic_choices
from orchestrator.web.customer_pages.translations import Words
from orchestrator.web.deps import TheEngine
from orchestrator.web.middleware.throttle import bad_link, throttle_of
from orchestrator.web.pages import notice, page, reader_words

router = APIRouter(include_in_schema=False)

SNOOZES = (7, 30, 90)
Do = Literal["save", "snooze", "wake", "stop_all"]


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
def ask_opt_out(engine: TheEngine, request: Request, token: str) -> HTMLResponse:
    """One button. Nothing happens before it is pressed."""
    return _opt_out_page(engine, request, token, opened=True)


def _opt_out_page(engine: Engine, request: Request, token: str, *, opened: bool) -> HTMLResponse:
    try:
        customer_id, channel, topic, _ = engine.links.read_opt_out(token)
        if opened:
            throttle_of(request).opened(request)
        preferences = engine.preferences(engine.reports.customer_key(customer_id))
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    words = reader_words(request, preferences.locale)
    return page(
        "opt_out.html",
        words=words,
        title=words("stop_title"),
        topic_words=_topic(preferences, topic, words),
        channel=channel,
        preferences_path=_preferences_path(engine, customer_id),
    )


@router.post("/u/{token}")
def opt_out(
    engine: TheEngine,
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
        customer = engine.reports.customer_key(customer_id)
        preferences = engine.preferences(customer)
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    words = reader_words(request, preferences.locale)
    receipt = engine.opt_out(
        customer,
        channel=channel,
        topic=topic,
        evidence=ConsentEvidence(
            method="unsubscribe_page" if confirm is not None else "one_click",
            source=f"{engine.links.base_url}/u/",
            wording=words(
                "stop_text", topic=_topic(preferences, topic, words), channel=words.channel(channel)
            ),
            wording_locale=words.language,
            details=_details(request, message_id),
        ),
    )
    return _receipt_page(engine, customer_id, preferences, receipt, words)


@router.api_route("/p/{token}", methods=["GET", "HEAD"])
def show_preferences(engine: TheEngine, request: Request, token: str) -> HTMLResponse:
    """Topics, channels, a break, everything."""
    try:
        customer_id = engine.links.read_preferences(token)
        throttle_of(request).opened(request)
        customer = engine.reports.customer_key(customer_id)
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    return _preferences_page(engine, request, customer)


@router.post("/p/{token}")
def change_preferences(
    engine: TheEngine,
    request: Request,
    token: str,
    *,
    do: Annotated[Do, Form()],
    topic: Annotated[Sequence[str], Form()] = (),
    was_topic: Annotated[Sequence[str], Form()] = (),
    channel: Annotated[Sequence[str], Form()] = (),
    was_channel: Annotated[Sequence[str], Form()] = (),
    days: Annotated[Literal["7", "30", "90"] | None, Form()] = None,
) -> HTMLResponse:
    """Acts on what was switched and shows the new state."""
    try:
        customer_id = engine.links.read_preferences(token)
        customer = engine.reports.customer_key(customer_id)
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    preferences = engine.preferences(customer)
    words = reader_words(request, preferences.locale)
    now = engine.reports.instants().business
    if do == "stop_all":
        receipt = engine.opt_out(
            customer, evidence=_evidence(engine, request, words, words("everything_text"))
        )
        return _receipt_page(engine, customer_id, preferences, receipt, words)
    if do == "snooze" and days is not None:
        engine.snooze(customer, now + timedelta(days=int(days)))
        return _preferences_page(engine, request, customer, saved="saved")
    if do == "wake":
        engine.end_snooze(customer)
        return _preferences_page(engine, request, customer, saved="saved")
    wanted = [
        *changes(topic_choices(preferences, words, now), is_topic=True, shown=was_topic, wanted=topic),
        *changes(channel_choices(preferences, words, now), is_topic=False, shown=was_channel, wanted=channel),
    ]
    for change in wanted:
        _apply(engine, customer, change, _evidence(engine, request, words, change.words))
    return _preferences_page(engine, request, customer, saved="saved" if wanted else "saved_nothing")


def _apply(engine: Engine, customer: str, change: Change, evidence: ConsentEvidence) -> None:
    if change.on:
        engine.opt_in(customer, channel=change.channel, topic=change.topic, evidence=evidence)
    else:
        engine.opt_out(customer, channel=change.channel, topic=change.topic, evidence=evidence)


def _preferences_page(
    engine: Engine, request: Request, customer: str, *, saved: str | None = None
) -> HTMLResponse:
    preferences = engine.preferences(customer)
    words = reader_words(request, preferences.locale)
    now = engine.reports.instants().business
    snoozed = preferences.snoozed_until
    return page(
        "preferences.html",
        words=words,
        title=words("preferences_title"),
        saved=words(saved) if saved else None,
        topics=topic_choices(preferences, words, now),
        channels=channel_choices(preferences, words, now),
        snoozed_until=snoozed if snoozed and snoozed > now else None,
        snoozes=SNOOZES,
    )


def _receipt_page(
    engine: Engine, customer_id: int, preferences: Preferences, receipt: OptOutReceipt, words: Words
) -> HTMLResponse:
    return page(
        "receipt.html",
        words=words,
        title=words("receipt_title"),
        topic_words=_topic(preferences, receipt.topic, words),
        receipt=receipt,
        ended=engine.reports.playbook_titles(receipt.ended_playbooks),
        preferences_path=_preferences_path(engine, customer_id),
    )


def _topic(preferences: Preferences, topic: str, words: Words) -> str:
    if topic == "*":
        return words("all_topics")
    return dict(preferences.topics).get(topic, topic.replace("_", " "))


def _preferences_path(engine: Engine, customer_id: int) -> str:
    return f"/p/{engine.links.preferences_token(customer_id)}"


def _evidence(engine: Engine, request: Request, words: Words, wording: str) -> ConsentEvidence:
    return ConsentEvidence(
        method="preference_centre",
        source=f"{engine.links.base_url}/p/",
        wording=wording,
        wording_locale=words.language,
        details=_details(request),
    )


def _details(request: Request, message_id: str | None = None) -> dict[str, str]:
    details = {"user_agent": request.headers.get("user-agent", "")[:200]}
    return details | {"message": message_id} if message_id else details
