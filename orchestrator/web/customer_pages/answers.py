"""The answer page of an ``ask`` that went out by email: GET shows the question, only the POST counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from orchestrator.engine import Engine
from orchestrator.errors import BadToken, NotFound, PlaybookError, Unavailable
from orchestrator.language.model import Ask
from orchestrator.language.writing.json_values import from_plain
from orchestrator.web.deps import TheEngine
from orchestrator.web.middleware.throttle import bad_link, throttle_of
from orchestrator.web.pages import notice, page, reader_words

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownQuestion:
    """The question as the page shows it. ``comment`` is its invitation, None when no remark is wanted."""

    question: str | None
    choices: tuple[tuple[str, str], ...]
    scale: tuple[int, int] | None = None
    comment: str | None = None


@router.api_route("/a/{token}", methods=["GET", "HEAD"])
def show_question(engine: TheEngine, request: Request, token: str) -> HTMLResponse:
    """The answer chosen in the mail is already marked; one button sends it."""
    return _answer_page(engine, request, token, opened=True)


@router.post("/a/{token}")
def answer(
    engine: TheEngine,
    request: Request,
    token: str,
    answer: Annotated[str, Form(max_length=100)] = "",
    comment: Annotated[str | None, Form(max_length=4000)] = None,
) -> HTMLResponse:
    """Counts the answer, once."""
    return _answer_page(engine, request, token, given=answer, comment=(comment or "").strip() or None)


def _answer_page(
    engine: Engine,
    request: Request,
    token: str,
    *,
    given: str = "",
    comment: str | None = None,
    opened: bool = False,
) -> HTMLResponse:
    try:
        message_id, chosen = engine.links.read_answer(token)
        if opened:
            throttle_of(request).opened(request)
        message = engine.reports.asked_message(message_id)
    except BadToken:
        return bad_link(request)
    except NotFound:
        return notice(request, "gone", status=200)
    words = reader_words(request, message.customer_locale)
    asked = asked_in(message.definition, message.step, message.texts, words.language)
    if asked is None:
        return notice(request, "bad_link", status=404)
    done = None
    if given in {key for key, _ in asked.choices}:
        new = engine.respond(
            message_id, "answered", detail=given, comment=comment, source_id=f"answer:{message_id}"
        )
        done = words("answer_thanks" if new else "answer_again")
    return page(
        "answer.html",
        words=words,
        title=asked.question or words("answer_title"),
        ask=asked,
        chosen=given or chosen,
        done=done,
    )


def asked_in(
    definition: Mapping[str, Any], step: str, texts: Mapping[str, Any], language: str
) -> ShownQuestion | None:
    """The ``ask`` of a step in a stored definition, in the reader's language where the playbook speaks it.

    Words with a customer's values in them were rendered in the mail; here the page's own words take their place.
    """
    try:
        steps = {part.name: part.action for part in from_plain(definition).steps}
    except PlaybookError as error:  # a newer release's: one of its processes can show it
        raise Unavailable("this release cannot read the playbook that asked") from error
    ask = steps.get(step)
    if not isinstance(ask, Ask):
        return None
    spoken: Mapping[str, str] = texts.get(language, {})

    def say(text: str) -> str | None:
        said = spoken.get(text, text)
        return said if said and "{{" not in said else None

    if ask.scale is not None:
        numbers = range(ask.scale[0], ask.scale[1] + 1)
        choices = tuple((str(number), str(number)) for number in numbers)
    else:
        choices = tuple((key, say(text) or key.replace("_", " ")) for key, text in ask.answers)
    return ShownQuestion(
        question=say(ask.question),
        choices=choices,
        scale=ask.scale,
        comment=None if ask.comment is None else say(ask.comment) or "",
    )
