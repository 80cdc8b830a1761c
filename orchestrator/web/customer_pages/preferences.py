"""The preference centre: which topics and channels a customer wants, a break from all of it, or an end to it.

It needs no login, no cookie and no script. GET and HEAD change nothing; a POST acts at once and answers with a page.
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
from orchestrator.web.customer_pages.consent_view import Change, changes, channel_choices, topic_choices
from orchestrator.web.customer_pages.receipt import browser_details, receipt_page
from orchestrator.web.customer_pages.translations import Words
from orchestrator.web.deps import TheWithdrawals
from orchestrator.web.middleware.throttle import bad_link, throttle_of
from orchestrator.web.pages import notice, page, reader_words

router = APIRouter(include_in_schema=False)

SNOOZES = (7, 30, 90)
Do = Literal["save", "snooze", "wake", "stop_all"]


@router.api_route("/p/{token}", methods=["GET", "HEAD"])
def show_preferences(engine: TheWithdrawals, request: Request, token: str) -> HTMLResponse:
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
    engine: TheWithdrawals,
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
        return receipt_page(engine, customer_id, preferences, receipt, words)
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


def _evidence(engine: Engine, request: Request, words: Words, wording: str) -> ConsentEvidence:
    return ConsentEvidence(
        method="preference_centre",
        source=f"{engine.links.base_url}/p/",
        wording=wording,
        wording_locale=words.language,
        details=browser_details(request),
    )
