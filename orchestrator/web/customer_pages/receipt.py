"""The receipt of an opt-out, and what both pages that give one say about topics and the browser."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from orchestrator.engine import Engine
from orchestrator.records.preferences import OptOutReceipt, Preferences
from orchestrator.web.customer_pages.translations import Words
from orchestrator.web.pages import page


def receipt_page(
    engine: Engine, customer_id: int, preferences: Preferences, receipt: OptOutReceipt, words: Words
) -> HTMLResponse:
    return page(
        "receipt.html",
        words=words,
        title=words("receipt_title"),
        topic_words=topic_title(preferences, receipt.topic, words),
        receipt=receipt,
        ended=engine.reports.playbook_titles(receipt.ended_playbooks),
        preferences_path=preferences_path(engine, customer_id),
    )


def topic_title(preferences: Preferences, topic: str, words: Words) -> str:
    if topic == "*":
        return words("all_topics")
    return dict(preferences.topics).get(topic, topic.replace("_", " "))


def preferences_path(engine: Engine, customer_id: int) -> str:
    return f"/p/{engine.links.preferences_token(customer_id)}"


def browser_details(request: Request, message_id: str | None = None) -> dict[str, str]:
    details = {"user_agent": request.headers.get("user-agent", "")[:200]}
    return details | {"message": message_id} if message_id else details
