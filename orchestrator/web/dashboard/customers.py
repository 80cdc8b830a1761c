"""Customers: search, one customer's story with every verdict, and the messages as that customer saw them."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import quote

import nh3
from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape

from channels.base import Receipt, ReceiptKind
from channels.optout_keywords.classify import Meant, classify
from channels.table import traits_of
from channels.traits import ChannelTraits
from orchestrator.errors import InputError, NotFound
from orchestrator.ids import new_key
from orchestrator.web.dashboard.frame import show
from orchestrator.web.dashboard.sessions import Operating, Visitor
from orchestrator.web.deps import TheEngine
from orchestrator.web.pages import environment

router = APIRouter(prefix="/customers", include_in_schema=False)

# An email is shown as a mail program would: its own styles and pictures, no script, every link in a new tab.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src https: data:; frame-ancestors 'self'; base-uri 'none'"
)
_WORDS = {
    Meant.STOP: ReceiptKind.OPTED_OUT,
    Meant.START: ReceiptKind.OPTED_IN,
    Meant.HELP: ReceiptKind.HELP,
    Meant.OTHER: ReceiptKind.REPLIED,
}
SHOWN_AT_MOST = 1000  # entries, and messages; the API and the export have all
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@router.get("")
def search(
    engine: TheEngine, session: Visitor, q: Annotated[str, Query(max_length=255)] = ""
) -> HTMLResponse:
    """By key, account or whole address; a single hit opens at once."""
    found = engine.reports.find_customers(q.strip())
    return show(engine, session, "customers.html", title="Customers", found=found, q=q.strip())


@router.get("/{key:path}/inbox")
def inbox(engine: TheEngine, session: Visitor, key: str) -> HTMLResponse:
    """What the sandbox kept for a customer: mails, texts, chats, in-app cards."""
    found = engine.reports.inbox(key)
    person, kept = found.customer, found.kept
    showing = {item.message_id for item in engine.feed(person.id, limit=100).items}
    return show(
        engine,
        session,
        "inbox.html",
        title=f"Messages of {key}",
        person=person,
        mails=[row for row in kept if traits_of(row.channel).mailbox],
        talks=[row for row in kept if traits_of(row.channel).talks],
        others=[row for row in kept if _is_for_a_tool(traits_of(row.channel))],
        cards=found.cards,
        showing=showing,
        phones={one.channel for one in person.contact_points if traits_of(one.channel).talks},
    )


def _is_for_a_tool(traits: ChannelTraits) -> bool:
    """Neither a mail nor a talk nor a card: shown as the data it is."""
    return not (traits.mailbox or traits.talks or traits.in_feed)


@router.get("/{key:path}/inbox/{message_id}")
def mail(engine: TheEngine, _session: Visitor, key: str, message_id: str) -> HTMLResponse:
    """One mail's own document, for the frame it is shown in."""
    found = [
        row
        for row in engine.reports.sandbox(key)
        if row.message_id == message_id and traits_of(row.channel).mailbox
    ]
    if not found:
        raise NotFound("message", message_id[:40])
    content: dict[str, Any] = found[0].content.get("content") or {}
    body = content.get("html") or f"<pre>{escape(content.get('text', ''))}</pre>"
    html = re.sub(r"(<head\b[^>]*>)", r'\1<base target="_blank">', body, count=1, flags=re.IGNORECASE)
    return HTMLResponse(
        html, headers={"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    )


@router.post("/{key:path}/inbox/reply")
def reply(
    engine: TheEngine,
    _session: Operating,
    key: str,
    channel: Annotated[str, Form(max_length=20)],
    text: Annotated[str, Form(max_length=1600)],
) -> Response:
    """Write back as the customer would, for rehearsals: read exactly like a text that came in by a provider."""
    person = engine.reports.customer(key)
    address = next((point.address for point in person.contact_points if point.channel == channel), None)
    if address is None:
        raise InputError("$.channel", f"{key} has no address on {channel[:20]!r}")
    heard = classify(text)
    receipt = Receipt(
        source="sandbox",
        source_id=new_key(),
        kind=_WORDS[heard.meant],
        occurred_at=engine.reports.instants().business,
        address=address,
        channel=channel,
        text=text,
        detail={"matched": heard.matched} if heard.matched else {},
    )
    engine.receive([receipt])
    return RedirectResponse(f"/customers/{part(key)}/inbox", 303)


@router.get("/{key:path}/product")
def product(engine: TheEngine, session: Visitor, key: str) -> HTMLResponse:
    """A host page with the widget in it, as this customer would see it in the product."""
    person = engine.reports.customer(key)
    token = engine.links.feed_token(person.id)
    return show(engine, session, "product.html", title="Product", person=person, token=token)


# Last: a key may hold slashes, and this address would swallow the ones above.
@router.get("/{key:path}")
def customer(
    engine: TheEngine, session: Visitor, key: str, kind: Annotated[list[str] | None, Query()] = None
) -> HTMLResponse:
    """Why each message was or was not sent, and everything that happened, newest first."""
    found = engine.reports.story(key)
    told = found.timeline.latest(SHOWN_AT_MOST)
    kinds = sorted({entry.kind for entry in told.entries})
    return show(
        engine,
        session,
        "customer.html",
        title=key,
        person=found.customer,
        entries=[entry for entry in reversed(told.entries) if not kind or entry.kind in kind],
        older=told.older,
        explanations=told.explanations[::-1],
        kinds=kinds,
        chosen=kind or [],
        consents=found.consents,
        cooldowns=found.cooldowns,
        holds=found.holds,
        preferences_url=engine.links.preferences_url(found.customer.id),
    )


def part(key: str) -> str:
    """A key as one part of a path: it may hold slashes and dots."""
    return quote(key, safe="")


def linked(text: str) -> Markup:
    """Plain text with its addresses as links."""
    parts: list[str] = []
    end = 0
    for found in _URL.finditer(text):
        url = escape(found.group())
        parts += [
            str(escape(text[end : found.start()])),
            f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>',
        ]
        end = found.end()
    return Markup("".join([*parts, str(escape(text[end:]))]))  # noqa: S704 - every part is escaped above


def harmless(html: str) -> Markup:
    """In-app content, which was sanitised when it was made, sanitised once more before it is shown here."""
    clean = nh3.clean(
        html, link_rel="noopener noreferrer", set_tag_attribute_values={"a": {"target": "_blank"}}
    )
    return Markup(clean)  # noqa: S704 - sanitised in the line above


environment().filters.update(linked=linked, harmless=harmless, part=part)
