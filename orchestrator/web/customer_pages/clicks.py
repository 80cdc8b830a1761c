"""Click links: record, then send the reader on to the target that is signed into the link.

A click moves an enrollment only when a person may have made it. Every other is kept as a machine's or a suspect one,
with the reason, and moves nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from channels.base import Receipt, ReceiptKind
from channels.scanners import looks_like_a_scanner
from channels.table import traits_of
from orchestrator import telemetry
from orchestrator.engine import Engine
from orchestrator.errors import BadToken, NotFound, OrchestratorError
from orchestrator.records.links import ClickFacts
from orchestrator.web.deps import TheEngine
from orchestrator.web.middleware.throttle import bad_link, throttle_of

router = APIRouter(include_in_schema=False)

# Nobody has read a mail so soon after its hand-over, nor follows a second link of it so soon after the first; machine
# time. Texts and feed items are looked at where they arrive, so they are not judged by this.
TOO_SOON = timedelta(seconds=10)
AT_ONCE = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Who made a click, as far as can be told, and by what."""

    who: Literal["human", "machine", "suspect"]
    reason: str = ""


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
def click(engine: TheEngine, request: Request, token: str) -> Response:
    """The reader always arrives, also when the click cannot be recorded."""
    try:
        message_id, name, target = engine.links.read_click(token)
    except BadToken:
        return bad_link(request)
    try:
        if throttle_of(request).may_record(request):
            _record(engine, request, message_id, name)
    except NotFound:
        pass  # the message is gone (erased); its target is not
    except OrchestratorError as error:
        telemetry.emit(
            "http.failed", method="GET", route="/c/{token}", error=type(error).__name__, request_id=""
        )
    return RedirectResponse(target, 302, headers={"X-Robots-Tag": "noindex, nofollow"})


def _record(engine: Engine, request: Request, message_id: str, name: str) -> None:
    """Once per link of a message, and once more for each reason not to believe it."""
    facts = engine.reports.click(message_id, name, at_once=AT_ONCE, too_soon=TOO_SOON)
    judged = _judge(request, facts)
    if judged.who == "human":
        engine.respond(message_id, "clicked", detail=name, source_id=f"click:{message_id}:{name}")
        return
    machine = Receipt(
        source="link",
        source_id=f"click:{message_id}:{name}:{judged.reason}",
        kind=ReceiptKind.CLICKED_BY_MACHINE,
        occurred_at=facts.at,
        message_id=message_id,
        link=name,
        code=f"{judged.who}: {judged.reason}",
    )
    engine.receive([machine])


def _judge(request: Request, facts: ClickFacts) -> Judged:
    browser = request.headers.get("user-agent", "")
    if request.method == "HEAD":
        return Judged(who="machine", reason="only asked for the head")
    if _fetched_ahead(request):
        return Judged(who="machine", reason="fetched ahead")
    if looks_like_a_scanner(browser):
        return Judged(who="machine", reason="named itself a scanner")
    if not browser.strip():
        return Judged(who="suspect", reason="no browser named")
    in_mailbox = traits_of(facts.channel).mailbox
    if in_mailbox and facts.just_sent:
        return Judged(who="suspect", reason="within seconds of sending")
    if in_mailbox and facts.another_link:
        return Judged(who="suspect", reason="several links at once")
    return Judged(who="human")


def _fetched_ahead(request: Request) -> bool:
    """Browsers and mail programs that fetch a link before anybody followed it say so."""
    purpose = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    return "prefetch" in purpose.lower() or "preview" in purpose.lower()
